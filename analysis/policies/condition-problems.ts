/** Finds the problems that the conditions of a policy report. */
import type { Condition } from '../../operator/api/capability-policy.ts';

/** The conditions that report a problem if they are not True. Any other condition reports a problem if it is True. */
export const GOOD_IF_TRUE = ['Ready', 'Accepted', 'Programmed', 'Compliant', 'Protected'];
/**
 * The conditions that a view does not list. The view shows the content of these conditions in another place, or in
 * another condition.
 */
const TOLD_ELSEWHERE = ['Compliant', 'Expired', 'Protected', 'Ready', 'Stalled'];

/** The conditions whose problems the view shows in no other place. */
export function problemsAmong(conditions: readonly Condition[]): Condition[] {
  return conditions.filter(
    ({ type, status }) => !TOLD_ELSEWHERE.includes(type) && (status === 'True') !== GOOD_IF_TRUE.includes(type),
  );
}

export function readiness({ conditions = [] }: { readonly conditions?: readonly Condition[] }): Condition['status'] {
  return conditions.find(({ type }) => type === 'Ready')?.status ?? 'Unknown';
}
