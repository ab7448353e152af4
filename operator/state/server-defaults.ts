/** Reads the statuses of policies to find the fields that API servers fill in. */
import type { CompletePolicy } from '../api/capability-policy.ts';

/**
 * The sorted fields that API servers fill in and that the operator does not know, in the format of Standard. The
 * operator asks the API servers for these fields. All programs other than the operator read the fields in the statuses
 * of policies.
 */
export function reportedServerDefaults(policies: readonly CompletePolicy[]): string[] {
  return [...new Set(policies.flatMap(({ status }) => status?.serverDefaults ?? []))].sort();
}
