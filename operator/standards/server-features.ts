/** Features of API servers by version. No other file compares the versions of API servers. */
import { formatVersion } from './level-version.ts';

/** The first Kubernetes version with the feature: N of 1.N. */
const SINCE = {
  /** admissionregistration.k8s.io/v1 MutatingAdmissionPolicy (KEP-3962). */
  mutatingAdmissionPolicies: 36,
  /**
   * Admission policies may have spec.variables. In earlier versions, compiling such a policy while another one is
   * evaluated crashes the API server: a map in apiserver/pkg/cel/types.go is shared (kubernetes/kubernetes#135757,
   * fixed by #135759).
   */
  admissionVariables: 36,
  /**
   * A pod with hostUsers: false gets a user namespace of its own, or does not start. Before, the API server drops the
   * field by default, and from kubelets of v1.29 and older, which then may still be in use, it got none (KEP-127,
   * "Kubelet and Kube-apiserver skew").
   */
  userNamespaces: 33,
  /** Admission policies in files of the API server (KEP-5793): alpha in 1.36, beta and on in 1.37. */
  staticAdmissionPolicies: 36,
  /** The pod's securityContext.supplementalGroupsPolicy (KEP-3619), by default. Before, the API server drops the field. */
  supplementalGroupsPolicy: 33,
  /**
   * Each kubelet that such an API server works with applies supplementalGroupsPolicy or rejects the pod: since v1.33. A
   * kubelet may be three versions older than the API server, and an older one ignores the field.
   */
  supplementalGroupsPolicyOnNodes: 36,
  /** The subresource pods/resize (KEP-1287), by default. Only tests ask. */
  podResize: 33,
} as const;

export type ServerFeature = keyof typeof SINCE;

/** @param server N of Kubernetes 1.N: the oldest API server */
export function offers(server: number, feature: ServerFeature): boolean {
  return server >= SINCE[feature];
}

/** For people: `v1.36`. */
export function offeredSince(feature: ServerFeature): string {
  return formatVersion(SINCE[feature]);
}
