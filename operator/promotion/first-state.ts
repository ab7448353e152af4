/**
 * Computes the state of a rollout in the first step of a leader's term, after the policy has rested, and after the policy
 * was created again.
 */
import type { CompleteSpec } from '../api/capability-policy.ts';
import { rolloutLabel } from '../policy/parts.ts';
import { matches } from '../policy/selector.ts';
import type { NamespaceLabels } from './input.ts';
import { type Entry, type RolloutState, resting } from './state.ts';

interface Found {
  readonly policy: string;
  readonly uid: string;
  /** The saved state. If no state is saved, the value is undefined. */
  readonly kept: RolloutState | undefined;
  /** The spec of the enforced part that exists in the cluster. */
  readonly enforced: CompleteSpec | undefined;
  /** The namespaces that no policy reaches. */
  readonly excluded: readonly string[];
  readonly namespaces: readonly NamespaceLabels[];
  /** The current time, in milliseconds since 1970. */
  readonly now: number;
}

/**
 * Returns the saved state. If no state is saved, the function derives the state from the enforced part and the labels.
 */
export function firstState(found: Found): RolloutState {
  const { uid, enforced, excluded } = found;
  const kept = found.kept && ofPolicy(found.kept, uid);
  const began = enforced && { begun: true, selector: enforced.namespaceSelector, excluded };
  // The enforced spec has no `rollout`. Without `rollout`, no guard protected the label, so the label's value means
  // nothing.
  if (enforced && began && !enforced.rollout)
    return { ...began, rested: began.selector, uid, namespaces: enforcedBefore(found, enforced) };
  if (!kept) {
    const namespaces = new Map();
    return began ? { ...began, inForce: began.selector, uid, namespaces } : { begun: false, uid, namespaces };
  }
  // The enforced part was deleted, and nothing has guarded the labels since the deletion.
  if (kept.begun && !began) return { ...resting(kept, undefined), uid };
  if (!kept.begun && !kept.selector && began) return { ...kept, ...began };
  return { ...kept, excluded: kept.excluded ?? excluded };
}

/**
 * The state of the policy with this uid. After the policy with the uid in the state was deleted, nothing may have guarded
 * the labels for a moment. A label without an entry then means nothing.
 */
function ofPolicy(kept: RolloutState, uid: string): RolloutState {
  const { deleted: _, ...state } = kept;
  if (state.uid === uid) return state;
  const { inForce, ...rest } = state;
  return { ...rest, uid, ...(inForce && { rested: inForce }) };
}

/**
 * Returns entries for the namespaces that have the label, although the policy is already enforced in these namespaces.
 */
function enforcedBefore({ policy, namespaces, now }: Found, { namespaceSelector }: CompleteSpec): Map<string, Entry> {
  const label = rolloutLabel(policy);
  const entries = namespaces.filter(({ labels }) => Object.hasOwn(labels, label) && matches(namespaceSelector, labels));
  return new Map(entries.map(({ name, uid }) => [name, { uid, state: 'Enforced', since: now }]));
}
