/** The Kubernetes version that a cluster is upgraded from: `npm run test:upgrade -- 1.35`, 1.33 by default. */
import { findBinaries } from '../../hack/controlplane/binaries.ts';

/** Names the version for the tests' process. */
export const UPGRADE_FROM = 'UPGRADE_FROM';
/**
 * Below 1.36, which renders admission policies without variables, and below 1.35, where level restricted does not let pods
 * in a user namespace run as root.
 */
export const DEFAULT_OLDER = '1.33';

const version = process.env[UPGRADE_FROM] ?? DEFAULT_OLDER;
/** N of Kubernetes 1.N. */
export const OLDER = Number(version.split('.')[1]);

/** The path of its kube-apiserver; a missing one is built, which takes about six minutes on two cores. */
export async function findOlderApiServer(): Promise<string> {
  return (await findBinaries({ ...process.env, KUBERNETES_VERSION: version })).apiServer;
}
