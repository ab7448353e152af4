/** The fields that API servers fill in, as the statuses of policies name them. */
import type { CompletePolicy } from '../api/capability-policy.ts';

/**
 * The fields that API servers fill in and that the operator does not know, as in Standard, sorted. Only the operator
 * asks the API servers, so all other programs read its answer in the statuses.
 */
export function reportedServerDefaults(policies: readonly CompletePolicy[]): string[] {
  return [...new Set(policies.flatMap(({ status }) => status?.serverDefaults ?? []))].sort();
}
