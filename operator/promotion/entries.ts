/** Computes the entry of one namespace in the state of a rollout, and how a step changes the entry. */
import { ROLLOUT_ENFORCED, ROLLOUT_PENDING } from '../api/capability-policy.ts';
import type { PromotionVerdict } from '../evaluate/promotion.ts';
import { beginsAtOnce } from './duration.ts';
import type { StepInput } from './input.ts';
import type { RolloutNamespace } from './rollout-namespace.ts';
import { type Entry, isPending } from './state.ts';

/** The maximum difference in ms between the clocks of two machines. */
const CLOCK_SKEW_MS = 60_000;

/** @param mayLeaveOut whether the enforced part may leave out one more namespace by name */
export function entryFor(namespace: RolloutNamespace, input: StepInput, mayLeaveOut: boolean): Entry | undefined {
  const { entry, label, uid, covered, selected } = namespace;
  const enforced: Entry = entry?.state === 'Enforced' ? entry : { uid, state: 'Enforced', since: input.now };
  if (!selected) {
    // An API server may still enforce an older version of the policy. The older version selects the namespace.
    if (covered || !input.settled) return entry;
    return label === undefined ? undefined : enforced;
  }
  if (label === ROLLOUT_ENFORCED) return enforced;
  // An API server may still enforce an older version of the policy. The older version of the policy excludes the
  // namespace by name.
  if (entry?.state === 'Enforced') return covered && label === undefined && input.settled ? undefined : entry;
  const next = entry ? continued(entry, namespace, input) : first(namespace, input);
  return next && isPending(next) ? leftOut(next, namespace, input, mayLeaveOut) : next;
}

function first(namespace: RolloutNamespace, input: StepInput): Entry | undefined {
  const { uid, label, covered, guarded, isNew, recorded } = namespace;
  const since = input.now;
  if (covered || isNew || recorded) {
    if (label !== ROLLOUT_PENDING) return undefined;
    // If no guard protects the label, anybody may have set the label.
    return { uid, state: guarded ? 'Pending' : 'Enforced', since };
  }
  return { uid, state: beginsAtOnce(input.rollout) && label !== ROLLOUT_PENDING ? 'Undecided' : 'Pending', since };
}

function continued(entry: Entry, { name, label, covered }: RolloutNamespace, input: StepInput): Entry | undefined {
  if (entry.state !== 'Undecided') return evaluated(entry, input.verdict(name), input);
  // The namespace needs no entry, because the policy is already enforced in the namespace.
  if (covered && label === undefined) return undefined;
  if (!beginsAtOnce(input.rollout) || label === ROLLOUT_PENDING) return { ...entry, state: 'Pending' };
  return evaluated(entry, input.currentVerdict(name), input);
}

/** Returns the entry of a namespace after an evaluation. */
export function evaluated(entry: Entry, verdict: PromotionVerdict | undefined, { now }: Pick<StepInput, 'now'>): Entry {
  if (!verdict) return entry;
  const { state } = entry;
  // An earlier leader whose clock was ahead may have written the time in `since`.
  const since = entry.since > now + CLOCK_SKEW_MS ? now : entry.since;
  if (verdict.violating > 0) return state === 'Blocked' ? entry : { ...entry, state: 'Blocked', since: now };
  if (state === 'Undecided') return entry;
  if (state !== 'Soaking') return { ...entry, state: 'Soaking', since: now };
  // A pod that no longer exists may have violated the policy after the soak began.
  const latest = Math.max(since, verdict.violatedAt ?? since);
  return latest === entry.since ? entry : { ...entry, since: latest };
}

/**
 * Decides whether the enforced part leaves out the namespace by name. If the operator cannot write the label of a
 * namespace, the enforced part leaves out the namespace. The other namespaces therefore do not have to wait until the
 * label is written. If somebody removed the label of a pending namespace, the policy is already enforced in the
 * namespace. The enforced part does not leave out a namespace where the policy is already enforced.
 */
function leftOut(
  entry: Entry,
  { name, label, covered, leftExclusion }: RolloutNamespace,
  input: StepInput,
  may: boolean,
): Entry {
  const isEnforced = covered && input.state.begun && !entry.byName;
  const isRefused = entry.byName || (may && !isEnforced && input.isRefused(name));
  const byName = label !== ROLLOUT_PENDING && (leftExclusion || isRefused);
  if (byName === (entry.byName ?? false)) return entry;
  const { byName: _, ...rest } = entry;
  return byName ? { ...rest, byName } : rest;
}

/**
 * Whether this namespace is ready for the rollout to begin. A pending namespace must be labelled or left out by name.
 * If a namespace is not pending, the label must be gone, or the API server must have refused to remove the label. A
 * namespace with a wrong label would be pending by mistake.
 */
export function isSettledIn(namespace: RolloutNamespace, entry: Entry | undefined, input: StepInput): boolean {
  const { name, selected, covered, label } = namespace;
  if (!selected || !entry || (covered && input.state.begun)) return true;
  if (!isPending(entry)) return label !== ROLLOUT_PENDING || input.isRefused(name);
  if (entry.state === 'Undecided') return input.currentVerdict(name)?.violating === 0;
  return label === ROLLOUT_PENDING || entry.byName === true;
}
