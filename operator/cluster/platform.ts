/** Which platforms a cluster is of, as far as that decides which namespaces are a platform's own. */
import { type ApiClient, ApiError } from './client.ts';
import { arrayOf, objectOf } from './raw.ts';

export type Platform = 'OpenShift' | 'GKE';

/** Served by every OpenShift, MicroShift included. To serve a group takes the right to write CRDs or APIServices. */
const OPENSHIFT = ['config.openshift.io', 'security.openshift.io'];
/** As in `v1.33.4-gke.1134000`. */
const GKE = /-gke\./;

/**
 * Nothing is assumed where the API server does not tell: to exclude too many namespaces is a hole, and to exclude too few can
 * stop a platform's own pods.
 *
 * @throws what the client throws; where the API server refuses to tell, an ApiError that says what to do
 */
export async function platformsOf(client: ApiClient): Promise<Platform[]> {
  try {
    return await detected(client);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const message = `${error.message}: without it the namespaces of OpenShift and GKE are not known from others; set --excluded-namespaces`;
    throw new ApiError({ status: error.status, reason: error.reason, causes: error.causes, message }, error.request);
  }
}

/** By the version and the API groups, which everybody may read who has logged in (ClusterRole system:discovery). */
async function detected(client: ApiClient): Promise<Platform[]> {
  const [version, groups] = await Promise.all([
    client.get<{ readonly gitVersion?: unknown }>('/version'),
    client.get<{ readonly groups?: unknown }>('/apis'),
  ]);
  const names = arrayOf(groups.groups).map((group) => objectOf(group).name);
  return [
    ...(OPENSHIFT.some((name) => names.includes(name)) ? (['OpenShift'] as const) : []),
    ...(GKE.test(String(version.gitVersion)) ? (['GKE'] as const) : []),
  ];
}
