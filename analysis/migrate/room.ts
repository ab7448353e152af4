/** Checks whether all migrated policies together stay within the API server's limits for one decision. */
import type { CapabilityPolicy } from '../../operator/api/capability-policy.ts';
import { completePolicy } from '../../operator/api/defaults.ts';
import { MOST_ASKED } from '../../operator/compile/decision.ts';
import { resolvePolicy } from '../../operator/policy/resolve.ts';
import { selectorCel } from '../../operator/policy/selector.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import type { Note } from './migration.ts';

/**
 * For one namespace, an API server can ask about the use of a limited number of policies. If there are more policies
 * with restricted use, each further policy gets a note.
 */
export function roomNotes(policies: readonly CapabilityPolicy[]): Note[] {
  const asking = policies.flatMap((policy) => {
    const resolution = resolvePolicy(completePolicy(policy), NEWEST_KNOWN_MINOR);
    return 'policy' in resolution && resolution.policy.usableBy !== 'Everyone' ? [resolution.policy] : [];
  });
  const together = Map.groupBy(asking, ({ selector, mode, priority }) =>
    JSON.stringify([mode, priority, selectorCel(selector, 'l')]),
  );
  return [...together.values()].flatMap((group) =>
    group.slice(MOST_ASKED).map(({ name }) => ({
      object: `CapabilityPolicy/${name}`,
      field: 'metadata.name',
      value: name,
      text: `the right to use this policy may not be checked: the API server checks this right for at most ${MOST_ASKED} policies with usableBy Subjects or Bindings, and ${group.length} decide in the same namespaces. A pod that complies with more than ${MOST_ASKED} of these policies may be refused although its service account may use this policy. Narrow namespaceSelector so that fewer of these policies decide in one namespace`,
      exact: false,
    })),
  );
}
