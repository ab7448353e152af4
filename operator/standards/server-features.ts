/** Features of API servers by version. No other file compares the versions of API servers. */
import { formatVersion } from './level-version.ts';

/** The first Kubernetes version with the feature: N of 1.N. */
const SINCE = {
  /** admissionregistration.k8s.io/v1 MutatingAdmissionPolicy (KEP-3962). */
  mutatingAdmissionPolicies: 36,
  /**
   * Admission policies may have spec.variables. In earlier versions, compiling such a policy while another one is
   * evaluated crashes the API server, because they share a map in apiserver/pkg/cel/types.go
   * (kubernetes/kubernetes#135757, fixed by #135759).
   */
  admissionVariables: 36,
  /**
   * A pod with hostUsers: false gets a user namespace of its own, or does not start. Older API servers drop the field
   * by default. Clusters with such API servers may also have kubelets of v1.29 and older, which start the pod without a
   * user namespace (KEP-127, "Kubelet and Kube-apiserver skew").
   */
  userNamespaces: 33,
  /** Admission policies in files of the API server (KEP-5793): alpha in 1.36, beta and on in 1.37. */
  staticAdmissionPolicies: 36,
  /** The pod's securityContext.supplementalGroupsPolicy (KEP-3619), on by default. Older API servers drop the field. */
  supplementalGroupsPolicy: 33,
  /**
   * Each kubelet that works with such an API server applies supplementalGroupsPolicy, or rejects the pod. Kubelets do
   * this since v1.33. A kubelet may be three versions older than the API server, and an older kubelet ignores the
   * field.
   */
  supplementalGroupsPolicyOnNodes: 36,
  /** The subresource pods/resize (KEP-1287), on by default. Only tests use this feature. */
  podResize: 33,
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
