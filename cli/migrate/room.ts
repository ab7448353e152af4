/** Whether migrated policies together stay within the API server's limits for one decision. */
import type { CapabilityPolicy } from '../../operator/api/capability-policy.ts';
import { completePolicy } from '../../operator/api/defaults.ts';
import { fitTogether } from '../../operator/compile/budget.ts';
import { resolvePolicy } from '../../operator/policy/resolve.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import type { Note } from './migration.ts';

/** One note for each policy that would not be accepted beside those before it. */
export function roomNotes(policies: readonly CapabilityPolicy[]): Note[] {
  const resolved = policies.flatMap((policy) => {
    const resolution = resolvePolicy(completePolicy(policy), NEWEST_KNOWN_MINOR);
    return 'policy' in resolution ? [resolution.policy] : [];
  });
  return [...fitTogether(resolved.map((policy) => [{ parts: [policy] }])).refusals].map(([name, { message }]) => ({
    object: `CapabilityPolicy/${name}`,
    field: 'metadata.name',
    value: name,
    text: `is not accepted beside the others: ${message}`,
    exact: false,
  }));
}
