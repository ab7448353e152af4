/** Policies and namespaces → where each policy is selected, where it decides, and whom it meets there. */
import type { CapabilityPolicyStatus } from '../api/capability-policy.ts';
import type { NamespaceView } from '../cluster/objects.ts';
import { MODES } from '../policy/deciding.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { matches } from '../policy/selector.ts';

export interface Coverage {
  /** Names of the namespaces that the selector takes, in the given order. */
  readonly selected: readonly string[];
  /** Those among them where the policy decides. */
  readonly deciding: readonly string[];
  /** The other policies of the same mode that select some of them, by name. */
  readonly sharesWith: readonly SharesWith[];
}

export type SharesWith = NonNullable<CapabilityPolicyStatus['sharesWith']>[number];

interface Draft {
  readonly selected: string[];
  readonly deciding: string[];
  readonly meets: Map<ResolvedPolicy, number>;
}

/**
 * One pass for all policies, since each one's coverage depends on the others.
 * @param namespaces without the excluded ones
 * @returns by policy name
 */
export function coverageOf(
  policies: readonly ResolvedPolicy[],
  namespaces: readonly Pick<NamespaceView, 'name' | 'labels'>[],
): ReadonlyMap<string, Coverage> {
  const drafts = new Map(policies.map((policy): [ResolvedPolicy, Draft] => [policy, emptyDraft()]));
  for (const { name, labels } of namespaces) {
    for (const mode of MODES) {
      const selecting = policies.filter((policy) => policy.mode === mode && matches(policy.selector, labels));
      const highest = Math.max(...selecting.map(({ priority }) => priority));
      for (const policy of selecting) {
        const draft = drafts.get(policy) ?? emptyDraft();
        draft.selected.push(name);
        if (policy.priority === highest) draft.deciding.push(name);
        for (const other of selecting) {
          if (other !== policy) draft.meets.set(other, (draft.meets.get(other) ?? 0) + 1);
        }
      }
    }
  }
  return new Map([...drafts].map(([policy, draft]) => [policy.name, finish(policy, draft)]));
}

function emptyDraft(): Draft {
  return { selected: [], deciding: [], meets: new Map() };
}

function finish(policy: ResolvedPolicy, { selected, deciding, meets }: Draft): Coverage {
  const sharesWith = [...meets].map(([other, namespaces]) => ({
    policy: other.name,
    relation: relation(policy.priority, other.priority),
    namespaces,
  }));
  return { selected, deciding, sharesWith: sharesWith.sort((a, b) => (a.policy < b.policy ? -1 : 1)) };
}

function relation(own: number, others: number): SharesWith['relation'] {
  return own === others ? 'Shares' : own > others ? 'Overrides' : 'OverriddenBy';
}
