/** Classifies an API server's answer about a pod. */
import type { Answer } from '../../hack/controlplane/api.ts';

export type Verdict = 'admitted' | 'refused' | 'unanswered';

/**
 * Matches the message of a refusal by an admission policy or by Pod Security Admission. While an API server starts, the
 * API server has not read RBAC yet, and refuses pods for this reason. The pattern does not match the message of a
 * refusal that is due to RBAC.
 */
const BY_POLICY = /ValidatingAdmissionPolicy|violates PodSecurity/;

export function verdictOf({ status, body }: Answer): Verdict {
  if (status === 201) return 'admitted';
  return status >= 400 && BY_POLICY.test(body.message) ? 'refused' : 'unanswered';
}
