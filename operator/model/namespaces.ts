/** The namespaces that no policy reaches by default. A flag can change this list of namespaces. */

/** A Kubernetes platform that runs its own pods in namespaces with a common prefix. */
export type Platform = 'OpenShift' | 'GKE';

/**
 * The namespaces that are excluded on every cluster. The API server itself creates these namespaces, so nobody else can
 * use their names.
 */
export const EXCLUDED_NAMESPACES = ['kube-system', 'kube-public', 'kube-node-lease'];
export const OPERATOR_NAMESPACE = 'capabilitypolicy-system';
/** The operator's service account in the manifests and in the Helm chart. */
export const OPERATOR_ACCOUNT = 'capabilitypolicy-operator';

/**
 * The namespaces in which each platform runs its own pods. The operator excludes the namespaces of a platform only on
 * clusters of this platform. If a platform's namespaces were excluded on every platform, anyone who may create
 * namespaces could create a namespace `openshift-*` on another platform. No policy would apply in this namespace.
 */
export const PLATFORM_NAMESPACES: Readonly<Record<Platform, string>> = { OpenShift: 'openshift-*', GKE: 'gke-*' };

export function excludedOn(platforms: readonly Platform[]): string[] {
  return [...EXCLUDED_NAMESPACES, ...platforms.map((platform) => PLATFORM_NAMESPACES[platform])];
}
