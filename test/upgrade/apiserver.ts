/**
 * The Kubernetes version from which a cluster is upgraded. For example, `npm run test:upgrade -- 1.35` sets version
 * 1.35. The default is 1.33.
 */
import { findBinaries } from '../../hack/controlplane/binaries.ts';

/** The name of an environment variable. The variable passes the older version to the process of the tests. */
export const UPGRADE_FROM = 'UPGRADE_FROM';
/**
 * The default of the older version. The default is below 1.36, so the operator renders admission policies without
 * variables. The default is also below 1.35, so the level restricted does not let pods in a user namespace run as root.
 */
export const DEFAULT_OLDER = '1.33';

const version = process.env[UPGRADE_FROM] ?? DEFAULT_OLDER;
/** The older version, as N of Kubernetes 1.N. */
export const OLDER = Number(version.split('.')[1]);

/**
 * The path of the older kube-apiserver. A missing kube-apiserver is built. Building takes about six minutes on two
 * cores.
 */
export async function findOlderApiServer(): Promise<string> {
  return (await findBinaries({ ...process.env, KUBERNETES_VERSION: version })).apiServer;
}
