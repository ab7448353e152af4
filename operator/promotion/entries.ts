/** The entry of one namespace in the state of a rollout, and how a step changes it. */
import { ROLLOUT_ENFORCED, ROLLOUT_PENDING } from '../api/capability-policy.ts';
import type { PromotionVerdict } from '../evaluate/promotion.ts';
import { beginsAtOnce } from './duration.ts';
import type { StepInput } from './input.ts';
import type { RolloutNamespace } from './rollout-namespace.ts';
import { type Entry, isPending } from './state.ts';

/** The most by which the clocks of two machines may differ. */
const CLOCK_SKEW_MS = 60_000;

/** @param mayLeaveOut whether the text has room for one more namespace that it leaves out by name */
export function entryFor(namespace: RolloutNamespace, input: StepInput, mayLeaveOut: boolean): Entry | undefined {
  const { entry, label, uid, covered, selected } = namespace;
  const enforced: Entry = entry?.state === 'Enforced' ? entry : { uid, state: 'Enforced', since: input.now };
  if (!selected) {
    // An older text may still select the namespace.
    if (covered || !input.settled) return entry;
    return label === undefined ? undefined : enforced;
  }
  if (label === ROLLOUT_ENFORCED) return enforced;
  // A text that excludes the namespace by name may still be in force.
  if (entry?.state === 'Enforced') return covered && label === undefined && input.settled ? undefined : entry;
  const next = entry ? continued(entry, namespace, input) : first(namespace, input);
  return next && isPending(next) ? leftOut(next, namespace, input, mayLeaveOut) : next;
}

function first({ uid, label, covered, guarded, isNew }: RolloutNamespace, input: StepInput): Entry | undefined {
  const since = input.now;
  if (covered || isNew) {
    if (label !== ROLLOUT_PENDING) return undefined;
    // Without a guard, anybody may have set the label.
    return { uid, state: guarded ? 'Pending' : 'Enforced', since };
  }
  return { uid, state: beginsAtOnce(input.rollout) && label !== ROLLOUT_PENDING ? 'Undecided' : 'Pending', since };
}

function continued(entry: Entry, { name, label, covered }: RolloutNamespace, input: StepInput): Entry | undefined {
  if (entry.state !== 'Undecided') return evaluated(entry, input.verdict(name), input);
  // The policy is already enforced in the namespace.
  if (covered && label === undefined) return undefined;
  if (!beginsAtOnce(input.rollout) || label === ROLLOUT_PENDING) return { ...entry, state: 'Pending' };
  return evaluated(entry, input.currentVerdict(name), input);
}

/** The entry of a namespace after an evaluation. */
export function evaluated(entry: Entry, verdict: PromotionVerdict | undefined, { now }: Pick<StepInput, 'now'>): Entry {
  if (!verdict) return entry;
  const { state } = entry;
  // The clock of an earlier leader may have been ahead.
  const since = entry.since > now + CLOCK_SKEW_MS ? now : entry.since;
  if (verdict.violating > 0) return state === 'Blocked' ? entry : { ...entry, state: 'Blocked', since: now };
  if (state === 'Undecided') return entry;
  if (state !== 'Soaking') return { ...entry, state: 'Soaking', since: now };
  // A pod that is now gone may have violated meanwhile.
  const latest = Math.max(since, verdict.violatedAt ?? since);
  return latest === entry.since ? entry : { ...entry, since: latest };
}

/**
 * A namespace whose label cannot be written does not hold back other namespaces: the text leaves it out by name. A
 * pending namespace whose label somebody removed is not left out, because the policy is already enforced there.
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
 * Whether the rollout may begin as far as this namespace is concerned. A pending namespace must be labelled or left out
 * by name. Any other namespace must not have the label, unless the API server refuses the removal. Otherwise the
 * namespace would be pending by mistake.
 */
export function isSettledIn(namespace: RolloutNamespace, entry: Entry | undefined, input: StepInput): boolean {
  const { name, selected, covered, label } = namespace;
  if (!selected || !entry || (covered && input.state.begun)) return true;
  if (!isPending(entry)) return label !== ROLLOUT_PENDING || input.isRefused(name);
  if (entry.state === 'Undecided') return input.currentVerdict(name)?.violating === 0;
  return label === ROLLOUT_PENDING || entry.byName === true;
}
