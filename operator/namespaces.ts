/** The namespaces that no policy reaches unless a flag says otherwise. */

export const EXCLUDED_NAMESPACES = ['kube-system', 'kube-public', 'kube-node-lease', 'openshift-*', 'gke-*'];
export const OPERATOR_NAMESPACE = 'capabilitypolicy-system';
