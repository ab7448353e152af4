/**
 * Finds what the operator reports about Pod Security: labels of other owners and defaults that refuse pods which the
 * policies admit, and a wrong flag. These refusals are not in the verdicts, because they come from no policy.
 */
import type { CompletePolicy } from '../operator/api/capability-policy.ts';

const ABOUT_POD_SECURITY = /^warning: .*(Pod Security|--psa-defaults)/;

/** The texts about one policy, each without the policy's name. The texts come from the policy's status. */
export function podSecurityWarnings({ status = {} }: Pick<CompletePolicy, 'status'>): string[] {
  const message = (wanted: string) => status.conditions?.find(({ type }) => type === wanted)?.message ?? '';
  const conflicts = message('LabelConflict');
  return [
    ...message('Accepted')
      .split('; ')
      .filter((part) => ABOUT_POD_SECURITY.test(part))
      .map((part) => part.replace(/^warning: /, '')),
    ...(conflicts.includes('Pod Security Admission refuses') ? [conflicts] : []),
  ];
}
