/** Finds kubelet and kube-scheduler: in the cache, or by a build from their Go module. */
import { dirname, join } from 'node:path';
import { buildFlags } from '../controlplane/build.ts';
import { findProgram, requiredVersion } from '../controlplane/program.ts';

interface NodePrograms {
  readonly kubelet: string;
  readonly scheduler: string;
}

const MODULE = join(import.meta.dirname, 'kubelet');
const KUBERNETES = 'k8s.io/kubernetes';

/** As in v1.33.13. */
export const KUBELET_VERSION = requiredVersion(MODULE, KUBERNETES);

/**
 * The paths of kubelet and kube-scheduler. Missing programs are built, which takes about four minutes on two cores.
 *
 * They have a separate module, because every test and the demo wait for the control plane's build, which must stay short.
 *
 * @throws an error that says how to get them, if Go is missing
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
  // One build makes all of go.mod's tools.
  return { kubelet, scheduler: join(dirname(kubelet), 'kube-scheduler') };
}
