/** What an API server made of a pod. */
import type { Answer } from '../../hack/controlplane/api.ts';

export type Verdict = 'admitted' | 'refused' | 'unanswered';

/** By an admission policy, or by Pod Security Admission: an API server that starts refuses for want of rights, too. */
const BY_POLICY = /ValidatingAdmissionPolicy|violates PodSecurity/;

export function verdictOf({ status, body }: Answer): Verdict {
  if (status === 201) return 'admitted';
  return status >= 400 && BY_POLICY.test(body.message) ? 'refused' : 'unanswered';
}
