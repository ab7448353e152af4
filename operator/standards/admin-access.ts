/** The namespace label by which Kubernetes grants admin access to devices (KEP-5018). */

/**
 * The keys of the label: API servers since 1.34 read the first key, and API servers of 1.33 read the second key, where
 * the feature gate DRAAdminAccess is on (DRAAdminNamespaceLabelKey in pkg/apis/resource/types.go).
 */
export const ADMIN_ACCESS_LABELS = ['resource.kubernetes.io/admin-access', 'resource.k8s.io/admin-access'] as const;
/** The only value that grants the access (AuthorizedForAdmin in pkg/registry/resource/utils.go). */
export const ADMIN_ACCESS = 'true';
