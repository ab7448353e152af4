/** Finds kubelet and kube-scheduler in the cache, or builds them from their Go module. */
import { dirname, join } from 'node:path';
import { buildFlags } from '../controlplane/build.ts';
import { findProgram, requiredVersion } from '../controlplane/program.ts';

interface NodePrograms {
  readonly kubelet: string;
  readonly scheduler: string;
}

const MODULE = join(import.meta.dirname, 'kubelet');
const KUBERNETES = 'k8s.io/kubernetes';

/** The version of kubelet, as in v1.33.13. */
export const KUBELET_VERSION = requiredVersion(MODULE, KUBERNETES);

/**
 * Finds kubelet and kube-scheduler, and builds missing programs, which takes about four minutes on two cores.
 *
 * kubelet and kube-scheduler have a separate Go module, because every test and the demo wait for the build of the
 * control plane, and that build must stay short.
 *
 * @returns the paths of the programs @throws an error that says how to get the programs, if Go is missing
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
  // One build makes all tools that go.mod lists.
  return { kubelet, scheduler: join(dirname(kubelet), 'kube-scheduler') };
}
