/** Reads the fields that API servers fill in from the statuses of policies. */
import type { CompletePolicy } from '../api/capability-policy.ts';

/**
 * The sorted fields that API servers fill in and that the operator does not know, in the format of Standard. The
 * operator alone finds out these fields from the API servers. All other programs read the fields in the statuses.
 */
export function reportedServerDefaults(policies: readonly CompletePolicy[]): string[] {
  return [...new Set(policies.flatMap(({ status }) => status?.serverDefaults ?? []))].sort();
}
