/** Detects the platforms of a cluster, so that the operator knows which namespaces belong to a platform. */
import type { Platform } from '../model/namespaces.ts';
import { OPENSHIFT_GROUPS } from '../model/platform-namespaces.ts';
import { arrayOf, objectOf } from '../model/raw.ts';
import { type ApiClient, ApiError } from './client.ts';

/** Matches the version of an API server on GKE, such as `v1.33.4-gke.1134000`. */
const GKE = /-gke\./;

interface DetectedPlatform {
  readonly platforms: readonly Platform[];
  /** The names of the API groups that the API server serves. */
  readonly apiGroups: readonly string[];
}

/**
 * Detects the platforms of a cluster. If the API server does not answer, the function throws an error and does not
 * guess the platforms. A wrong guess could exclude too many namespaces. The policies would not protect the namespaces
 * that are excluded by mistake. A wrong guess could also exclude too few namespaces, and block the platform's own pods.
 *
 * @throws the client's errors, and an ApiError with advice if the API server refuses the request
 */
export async function detectPlatform(client: ApiClient): Promise<DetectedPlatform> {
  try {
    return await detected(client);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const message = `${error.message}: without this right, the operator cannot determine which namespaces belong to OpenShift or GKE; set --excluded-namespaces`;
    throw new ApiError({ status: error.status, reason: error.reason, causes: error.causes, message }, error.request);
  }
}

/**
 * Detects platforms by the version and the API groups. Every authenticated user may read the version and the API groups
 * (ClusterRole system:discovery). Only users with the right to write CRDs or APIServices can add the API groups of
 * OpenShift. Ordinary users do not have this right.
 */
async function detected(client: ApiClient): Promise<DetectedPlatform> {
  const [version, groups] = await Promise.all([
    client.get<{ readonly gitVersion?: unknown }>('/version'),
    client.get<{ readonly groups?: unknown }>('/apis'),
  ]);
  const apiGroups = arrayOf(groups.groups).map((group) => String(objectOf(group).name));
  const platforms = [
    ...(OPENSHIFT_GROUPS.some((name) => apiGroups.includes(name)) ? (['OpenShift'] as const) : []),
    ...(GKE.test(String(version.gitVersion)) ? (['GKE'] as const) : []),
  ];
  return { platforms, apiGroups };
}
