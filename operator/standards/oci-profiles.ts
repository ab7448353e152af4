/** Seccomp profiles that the container runtime pulls from a registry (KEP-6061). */

/** The type of such a profile in `seccompProfile.type`. */
export const OCI = 'OCI';

/**
 * Matches a reference with a digest. The API server requires the digest (ValidateCustom_SecurityProfileOCI_Ref in
 * k8s.io/kubernetes/pkg/apis/core/v1/validation.go). The field `ociReferences` also requires the digest.
 */
export const PINNED_REFERENCE =
  /^((localhost|[a-z0-9-]+([.][a-z0-9-]+)+)(:[0-9]+)?|[a-z0-9-]+:[0-9]+)(\/[a-z0-9]+(([.]|_|__|-+)[a-z0-9]+)*)+@(sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128})$/;
