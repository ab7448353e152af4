/** Kubernetes grants admin access to devices by this namespace label (KEP-5018). */

/**
 * The keys of the label (DRAAdminNamespaceLabelKey in pkg/apis/resource/types.go). API servers since 1.34 read the
 * first key. API servers of 1.33 read the second key, if the feature gate DRAAdminAccess is on.
 */
export const ADMIN_ACCESS_LABELS = ['resource.kubernetes.io/admin-access', 'resource.k8s.io/admin-access'] as const;
/** The only label value that grants admin access (AuthorizedForAdmin in pkg/registry/resource/utils.go). */
export const ADMIN_ACCESS = 'true';
