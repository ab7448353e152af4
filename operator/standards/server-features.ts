/** Features of API servers by version. No other file compares the versions of API servers. */
import { formatVersion } from './level-version.ts';

/** The first Kubernetes version with the feature, as N of 1.N. */
const SINCE = {
  /** The kind MutatingAdmissionPolicy of admissionregistration.k8s.io/v1 (KEP-3962). */
  mutatingAdmissionPolicies: 36,
  /**
   * Admission policies may have spec.variables. If an API server before 1.36 compiles an admission policy with
   * variables and evaluates another admission policy at the same time, the API server can crash. The compilation and
   * the evaluation share a map in apiserver/pkg/cel/types.go (kubernetes/kubernetes#135757, fixed by #135759).
   */
  admissionVariables: 36,
  /**
   * A pod with hostUsers: false gets its own user namespace, or does not start. API servers before 1.33 drop hostUsers
   * by default. Clusters with API servers before 1.33 may also have kubelets of v1.29 and older. Kubelets of v1.29 and
   * older start the pod without a user namespace (KEP-127, "Kubelet and Kube-apiserver skew").
   */
  userNamespaces: 33,
  /**
   * Admission policies in files of the API server (KEP-5793). The feature is alpha in 1.36. In 1.37, the feature is
   * beta and on by default.
   */
  staticAdmissionPolicies: 36,
  /**
   * The pod's field securityContext.supplementalGroupsPolicy (KEP-3619), which is on by default from 1.33 on. API
   * servers before 1.33 drop the field.
   */
  supplementalGroupsPolicy: 33,
  /**
   * Every supported kubelet applies supplementalGroupsPolicy or rejects the pod. Kubelets since v1.33 apply the field
   * or reject the pod. Older kubelets ignore the field. A kubelet may be three versions older than the API server. So
   * clusters with API servers before v1.36 may have kubelets before v1.33.
   */
  supplementalGroupsPolicyOnNodes: 36,
  /**
   * Seccomp profiles of type OCI (KEP-6061). The feature is alpha in 1.38, with the feature gate SecurityProfileOCI.
   * Older API servers, and API servers without the gate, refuse pods with a profile of type OCI.
   */
  seccompFromOci: 38,
  /**
   * Authorizers may allow a request under conditions (KEP-5681). The feature is alpha in 1.38, with the feature gate
   * ConditionalAuthorization. Tests use this feature, but the operator does not.
   */
  conditionalAuthorization: 38,
  /**
   * The subresource pods/resize (KEP-1287), which is on by default from 1.33 on. Tests use this feature, but the
   * operator does not.
   */
  podResize: 33,
  /**
   * Admin access to devices (KEP-5018) and resource.k8s.io/v1, which are on by default from 1.34 on. Tests use this
   * feature, but the operator does not.
   */
  deviceAdminAccess: 34,
  /**
   * The verbs `impersonate:MODE` and `impersonate-on:MODE:VERB` (KEP-5284), which are beta and on by default from 1.36
   * on. Tests use this feature, but the operator does not.
   */
  constrainedImpersonation: 36,
} as const;

export type ServerFeature = keyof typeof SINCE;

/**
 * Whether API servers have the feature.
 * @param server the version of the oldest API server, as N of Kubernetes 1.N
 */
export function offers(server: number, feature: ServerFeature): boolean {
  return server >= SINCE[feature];
}

/** The first Kubernetes version with the feature, as text for people, such as `v1.36`. */
export function offeredSince(feature: ServerFeature): string {
  return formatVersion(SINCE[feature]);
}
