/** Features of API servers by version. No other file compares the versions of API servers. */
import { formatVersion } from './level-version.ts';

/** The first Kubernetes version with the feature: N of 1.N. */
const SINCE = {
  /** admissionregistration.k8s.io/v1 MutatingAdmissionPolicy (KEP-3962). */
  mutatingAdmissionPolicies: 36,
  /**
   * Admission policies may have spec.variables. Before 1.36, the API server can crash when it compiles an admission
   * policy with variables while it evaluates another admission policy: both use the same map in
   * apiserver/pkg/cel/types.go (kubernetes/kubernetes#135757, fixed by #135759).
   */
  admissionVariables: 36,
  /**
   * A pod with hostUsers: false gets a user namespace of its own, or does not start. API servers before 1.33 drop
   * hostUsers by default. Clusters with API servers before 1.33 may also have kubelets of v1.29 and older, which start
   * the pod without a user namespace (KEP-127, "Kubelet and Kube-apiserver skew").
   */
  userNamespaces: 33,
  /** Admission policies in files of the API server (KEP-5793): alpha in 1.36, beta and on in 1.37. */
  staticAdmissionPolicies: 36,
  /**
   * The pod's field securityContext.supplementalGroupsPolicy (KEP-3619), which is on by default from 1.33 on. API
   * servers before 1.33 drop the field.
   */
  supplementalGroupsPolicy: 33,
  /**
   * Every supported kubelet applies supplementalGroupsPolicy or rejects the pod, as kubelets do since v1.33. Older
   * kubelets ignore the field. A kubelet may be three versions older than the API server, so API servers before v1.36
   * may have such kubelets.
   */
  supplementalGroupsPolicyOnNodes: 36,
  /**
   * Seccomp profiles of type OCI (KEP-6061): alpha in 1.38, with the feature gate SecurityProfileOCI. API servers without
   * the gate, and older ones, refuse pods with such a profile.
   */
  seccompFromOci: 38,
  /**
   * Authorizers may allow on conditions (KEP-5681): alpha in 1.38, with the feature gate ConditionalAuthorization. Only
   * tests use this feature.
   */
  conditionalAuthorization: 38,
  /** The subresource pods/resize (KEP-1287), which is on by default from 1.33 on. Only tests use this feature. */
  podResize: 33,
  /**
   * Admin access to devices (KEP-5018) and resource.k8s.io/v1, which are on by default from 1.34 on. Only tests use this
   * feature.
   */
  deviceAdminAccess: 34,
} as const;

export type ServerFeature = keyof typeof SINCE;

/**
 * Whether API servers have the feature.
 * @param server the version of the oldest API server, as N of Kubernetes 1.N
 */
export function offers(server: number, feature: ServerFeature): boolean {
  return server >= SINCE[feature];
}

/** The first Kubernetes version with the feature, as text for people: `v1.36`. */
export function offeredSince(feature: ServerFeature): string {
  return formatVersion(SINCE[feature]);
}
