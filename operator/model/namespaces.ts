/** The namespaces that no policy reaches unless a flag says otherwise. */

/** A platform with namespaces of its own. */
export type Platform = 'OpenShift' | 'GKE';

/**
 * The namespaces that are excluded on every cluster. The API server creates them, so nobody else can take their names.
 */
export const EXCLUDED_NAMESPACES = ['kube-system', 'kube-public', 'kube-node-lease'];
export const OPERATOR_NAMESPACE = 'capabilitypolicy-system';
/** The operator's service account in the manifests and in the Helm chart. */
export const OPERATOR_ACCOUNT = 'capabilitypolicy-operator';

/**
 * The namespaces in which each platform runs its own pods. They are excluded only on that platform. Elsewhere, anyone
 * who may create namespaces could give a namespace such a name, and no policy would reach it.
 */
export const PLATFORM_NAMESPACES: Readonly<Record<Platform, string>> = { OpenShift: 'openshift-*', GKE: 'gke-*' };

export function excludedOn(platforms: readonly Platform[]): string[] {
  return [...EXCLUDED_NAMESPACES, ...platforms.map((platform) => PLATFORM_NAMESPACES[platform])];
}
