/**
 * One step of a rollout. The step computes the next state from the current state and the last seen state of the
 * cluster. A step is pure and can be repeated. The operator saves the decisions of a step before the decisions take
 * effect. So no decision is lost if the process dies before the decisions take effect.
 */
import type { LabelSelector } from '../api/capability-policy.ts';
import { rolloutLabel } from '../policy/parts.ts';
import { isSameSelector } from '../policy/selector.ts';
import { entryFor, isSettledIn } from './entries.ts';
import type { StepInput, StepResult } from './input.ts';
import { promote } from './promote.ts';
import { rolloutNamespace } from './rollout-namespace.ts';
import type { Entry, Labelling, RolloutState } from './state.ts';

/**
 * If the operator cannot write the labels of some namespaces, the enforced part leaves out at most this number of
 * namespaces by name. Each name of a left-out namespace makes the admission policy longer.
 */
const MOST_REFUSED = 32;

export function step(input: StepInput): StepResult {
  const { state } = input;
  const label = rolloutLabel(input.policy);
  const labelling = labellingFor(input);
  const entries = new Map<string, Entry>();
  const enforced: string[] = [];
  let labelled = true;
  let refused = 0;
  for (const labels of input.namespaces) {
    const namespace = rolloutNamespace(labels, input, label, labelling);
    const entry = entryFor(namespace, input, refused < MOST_REFUSED);
    if (entry) entries.set(namespace.name, entry);
    if (entry?.byName) refused++;
    if (!entry && namespace.entry?.state === 'Enforced' && namespace.selected) enforced.push(namespace.name);
    labelled &&= isSettledIn(namespace, entry, input);
  }
  const { promoted, lastPromotion, next } = promote(entries, input, label);
  const begins = labelling !== undefined && labelled;
  if (begins) dropUndecided(entries);
  const { labelling: _, rested: __, ...kept } = state;
  const rested = begins && !state.begun ? state.selector : state.rested;
  const isNewly = isNewlyInForce(input);
  const after: RolloutState = {
    ...kept,
    ...(begins && { begun: true, selector: input.selector, excluded: input.excluded }),
    ...(labelling && !begins && { labelling }),
    ...(isNewly ? { inForce: state.selector as LabelSelector } : rested && { rested }),
    ...(lastPromotion !== undefined && { lastPromotion }),
    namespaces: sameEntries(state.namespaces, entries) ? state.namespaces : entries,
  };
  const changed =
    begins ||
    promoted.length > 0 ||
    after.namespaces !== state.namespaces ||
    after.labelling !== state.labelling ||
    after.inForce !== state.inForce;
  return { state: changed ? after : state, promoted, enforced, ...(next && { next }) };
}

/**
 * The current labelling of namespaces. When all namespaces of the newest selector have been labelled, the result is
 * undefined.
 */
function labellingFor({ state, selector, excluded, namespaces, now }: StepInput): Labelling | undefined {
  const isCurrent =
    state.begun &&
    state.selector !== undefined &&
    isSameSelector(state.selector, selector) &&
    (state.excluded ?? []).join() === excluded.join();
  if (isCurrent) return undefined;
  const { labelling } = state;
  if (labelling && isSameSelector(labelling.selector, selector)) return labelling;
  // The creation time of a namespace comes from the API server's clock, which may be ahead of the operator's clock.
  const newest = namespaces.reduce((latest, { created = 0 }) => Math.max(latest, created), 0);
  return { selector, since: Math.max(now, newest) };
}

/**
 * Drops the entries of undecided namespaces. In an undecided namespace, the policy is enforced from the beginning,
 * because no workload violates the policy.
 */
function dropUndecided(entries: Map<string, Entry>): void {
  for (const [name, { state }] of entries) if (state === 'Undecided') entries.delete(name);
}

function isNewlyInForce({ state: { begun, selector, inForce }, settled }: StepInput): boolean {
  if (!begun || !settled || !selector) return false;
  return inForce === undefined || !isSameSelector(inForce, selector);
}

function sameEntries(before: ReadonlyMap<string, Entry>, after: ReadonlyMap<string, Entry>): boolean {
  return before.size === after.size && [...after].every(([name, entry]) => before.get(name) === entry);
}
