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
 * clusters of this platform. On another platform, anyone who may create namespaces could choose such a name, and no
 * policy would apply in the namespace.
 *
 * A prefix is in this list only if the platform reserves it: OpenShift refuses a project request for `openshift-*`. GKE
 * reserves no prefix, so its namespaces are listed one by one.
 */
export const PLATFORM_NAMESPACES: Readonly<Record<Platform, readonly string[]>> = {
  OpenShift: ['openshift-*'],
  GKE: [
    'gke-gmp-system',
    'gke-managed-cim',
    'gke-managed-dpv2-observability',
    'gke-managed-filestorecsi',
    'gke-managed-system',
    'gke-managed-volumepopulator',
    'gmp-public',
    'gmp-system',
  ],
};

export function excludedOn(platforms: readonly Platform[]): string[] {
  return [...EXCLUDED_NAMESPACES, ...platforms.flatMap((platform) => PLATFORM_NAMESPACES[platform])];
}
