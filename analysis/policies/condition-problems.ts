/** The problems that the conditions of a policy report. */
import type { Condition } from '../../operator/api/capability-policy.ts';

/** Conditions for which True is the desired status. The others are about trouble. */
export const GOOD_IF_TRUE = ['Ready', 'Accepted', 'Programmed', 'Compliant', 'Protected'];
/** Conditions whose content is already elsewhere in a view, or in another condition. */
const TOLD_ELSEWHERE = ['Compliant', 'Expired', 'Protected', 'Ready', 'Stalled'];

/** The conditions that report a problem, and that nothing else in a view tells. */
export function problemsAmong(conditions: readonly Condition[]): Condition[] {
  return conditions.filter(
    ({ type, status }) => !TOLD_ELSEWHERE.includes(type) && (status === 'True') !== GOOD_IF_TRUE.includes(type),
  );
}

export function readiness({ conditions = [] }: { readonly conditions?: readonly Condition[] }): Condition['status'] {
  return conditions.find(({ type }) => type === 'Ready')?.status ?? 'Unknown';
}
