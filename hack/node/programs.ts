/** Finds kubelet and kube-scheduler in the cache. If the programs are missing, they are built from their Go module. */
import { dirname, join } from 'node:path';
import { buildFlags } from '../controlplane/build.ts';
import { findProgram, requiredVersion } from '../controlplane/program.ts';

interface NodePrograms {
  readonly kubelet: string;
  readonly scheduler: string;
}

const MODULE = join(import.meta.dirname, 'kubelet');
const KUBERNETES = 'k8s.io/kubernetes';

/** The version of kubelet, in the form v1.33.13. */
export const KUBELET_VERSION = requiredVersion(MODULE, KUBERNETES);

/**
 * Finds kubelet and kube-scheduler, and builds missing programs. A build takes about four minutes on two cores.
 *
 * The programs kubelet and kube-scheduler have their own Go module, separate from the control plane. Every test and the
 * demo wait for the build of the control plane, so the build of the control plane must stay short.
 *
 * @returns the paths of the programs
 * @throws an error if Go is missing. The error says how to get the programs
 */
export async function findNodePrograms(environment: NodeJS.ProcessEnv = process.env): Promise<NodePrograms> {
  const kubelet = await findProgram(
    {
      name: 'kubelet',
      module: MODULE,
      of: KUBERNETES,
      flags: buildFlags,
      minutes: 4,
    },
    environment,
  );
  // A single build makes all tools that go.mod lists.
  return { kubelet, scheduler: join(dirname(kubelet), 'kube-scheduler') };
}
