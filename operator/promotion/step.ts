/**
 * One step of a roll-out: the state and the cluster as last seen → the next state. Pure, and safe to repeat: what a step
 * decides is written before anything follows from it, so a process that dies in between loses nothing.
 */
import {
  type CompleteRollout,
  type LabelSelector,
  ROLLOUT_ENFORCED,
  ROLLOUT_PENDING,
} from '../api/capability-policy.ts';
import type { PromotionVerdict } from '../evaluate/promotion.ts';
import { rolloutLabel } from '../policy/parts.ts';
import { isSameSelector, type Labels, matches } from '../policy/selector.ts';
import { durationMs } from './duration.ts';
import { type Entry, isLabelled, isPending, type RolloutState } from './state.ts';

export interface StepInput {
  readonly policy: string;
  readonly rollout: CompleteRollout;
  /** The selector of the spec. */
  readonly selector: LabelSelector;
  readonly state: RolloutState;
  /**
   * The selector of the enforced part that exists in the cluster: after an edit of the selector that is refused or taken
   * back, it still enforces where the edited one did not select.
   */
  readonly standing?: LabelSelector;
  /** Every namespace that policies reach, by name. */
  readonly namespaces: readonly NamespaceLabels[];
  /** As of the last evaluation; undefined if there was none by the newest text of the policy. */
  verdict(namespace: string): PromotionVerdict | undefined;
  /** The same as of now: for decisions to enforce. */
  currentVerdict(namespace: string): PromotionVerdict | undefined;
  /** Whether the newest text of the policy is in force everywhere, and nothing older is. */
  readonly settled: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export interface NamespaceLabels {
  readonly name: string;
  readonly uid: string;
  readonly labels: Labels;
}

export interface StepResult {
  readonly state: RolloutState;
  /** The namespaces that this step decided to enforce. */
  readonly promoted: readonly string[];
  /** The next promotion, if nothing violates until then. */
  readonly next?: { readonly namespace: string; readonly at: number };
}

/** A promotion that is late by this much still counts as punctual, so that the pace is kept. */
const LATE_MS = 1_000;
const HOUR_MS = 3_600_000;
/** By how much the clocks of two machines may differ. */
const CLOCK_SKEW_MS = 60_000;

export function step(input: StepInput): StepResult {
  const { state } = input;
  const label = rolloutLabel(input.policy);
  const entries = new Map<string, Entry>();
  let labelled = true;
  for (const namespace of input.namespaces) {
    const place = placeOf(namespace, input, label);
    const entry = entryFor(place, input);
    if (entry) entries.set(namespace.name, entry);
    labelled &&= isSettledIn(place, entry);
  }
  const { promoted, lastPromotion, next } = promote(entries, input, label);
  const begins = labelled && (!state.begun || !state.selector || !isSameSelector(state.selector, input.selector));
  const after: RolloutState = {
    ...state,
    ...(begins && { begun: true, selector: input.selector }),
    ...(lastPromotion !== undefined && { lastPromotion }),
    namespaces: sameEntries(state.namespaces, entries) ? state.namespaces : entries,
  };
  const changed = begins || promoted.length > 0 || after.namespaces !== state.namespaces;
  return { state: changed ? after : state, promoted, ...(next && { next }) };
}

/** A namespace as a step sees it. */
interface Place {
  readonly name: string;
  readonly uid: string;
  /** The value of the label; undefined without it. */
  readonly label: string | undefined;
  /** Whether the selector of the spec selects it. */
  readonly selected: boolean;
  /** Whether the enforced part may have existed when the namespace was last seen without the label. */
  readonly covered: boolean;
  readonly entry: Entry | undefined;
}

function placeOf({ name, uid, labels }: NamespaceLabels, input: StepInput, label: string): Place {
  const { selector, state, standing } = input;
  const entry = state.namespaces.get(name);
  return {
    name,
    uid,
    label: Object.hasOwn(labels, label) ? labels[label] : undefined,
    selected: matches(selector, labels),
    covered:
      isCovered(state, labels) || (standing !== undefined && isCovered({ ...state, selector: standing }, labels)),
    entry: entry?.uid === uid ? entry : undefined,
  };
}

/** Whether the enforced part selects a namespace with these labels, unless it is pending. */
export function isCovered({ begun, selector }: RolloutState, labels: Labels): boolean {
  return begun && selector !== undefined && matches(selector, labels);
}

function entryFor(place: Place, input: StepInput): Entry | undefined {
  const { entry, label, uid } = place;
  const { now } = input;
  const enforced: Entry = entry?.state === 'Enforced' ? entry : { uid, state: 'Enforced', since: now };
  if (!place.selected) {
    // An older text may still select it.
    if (place.covered || !input.settled) return entry;
    return label === undefined ? undefined : enforced;
  }
  if (label === ROLLOUT_ENFORCED) return enforced;
  if (entry?.state === 'Enforced') return place.covered && label === undefined ? undefined : entry;
  if (entry) return evaluated(entry, verdictFor(place.name, entry, input), input);
  if (label === ROLLOUT_PENDING) return { uid, state: 'Pending', since: now };
  if (place.covered) return undefined;
  return { uid, state: soakOf(input) === 0 ? 'Undecided' : 'Pending', since: now };
}

function verdictFor(namespace: string, { state }: Entry, input: StepInput): PromotionVerdict | undefined {
  return state === 'Undecided' ? input.currentVerdict(namespace) : input.verdict(namespace);
}

function evaluated(entry: Entry, verdict: PromotionVerdict | undefined, input: StepInput): Entry {
  if (!verdict) return entry;
  const { uid, state } = entry;
  const { now } = input;
  // The clock of an earlier leader may have been ahead.
  const since = entry.since > now + CLOCK_SKEW_MS ? now : entry.since;
  if (verdict.violating > 0) return state === 'Blocked' ? entry : { uid, state: 'Blocked', since: now };
  if (state === 'Undecided') return { uid, state: 'Enforced', since: now };
  if (state !== 'Soaking') return { uid, state: 'Soaking', since: now };
  // A pod that is gone may have violated meanwhile.
  const latest = Math.max(since, verdict.violatedAt ?? since);
  return latest === entry.since ? entry : { uid, state, since: latest };
}

/** Whether the enforced part may select the namespace: it is labelled, or will be enforced by decision. */
function isSettledIn({ selected, covered, label }: Place, entry: Entry | undefined): boolean {
  if (!selected || covered) return true;
  if (!entry) return false;
  return isPending(entry) ? isLabelled(entry) && label === ROLLOUT_PENDING : label !== ROLLOUT_PENDING;
}

interface Promotions {
  readonly promoted: readonly string[];
  readonly lastPromotion?: number;
  readonly next?: { readonly namespace: string; readonly at: number };
}

/** In the order of how long they have been compliant, then of their names; one after the other at the pace. */
function promote(entries: Map<string, Entry>, input: StepInput, label: string): Promotions {
  const { state, rollout, now } = input;
  // An older text may refuse what the newest one admits.
  if (!state.begun || rollout.paused || !input.settled) return { promoted: [] };
  const interval = rollout.namespacesPerHour === undefined ? 0 : HOUR_MS / rollout.namespacesPerHour;
  const promoted: string[] = [];
  let slot = state.lastPromotion === undefined ? 0 : Math.min(state.lastPromotion, now) + interval;
  for (const { name, entry } of candidates(entries, input, label)) {
    const at = Math.max(entry.since + soakOf(input), slot);
    if (at > now)
      return { promoted, ...lastOf(promoted, slot - interval), next: { namespace: name, at: Math.ceil(at) } };
    const verdict = input.currentVerdict(name);
    const current = evaluated(entry, verdict, input);
    entries.set(name, current);
    // Something violated since the last evaluation, or nothing is known: the next step looks again.
    if (!verdict || current !== entry) continue;
    entries.set(name, { uid: entry.uid, state: 'Enforced', since: now });
    promoted.push(name);
    slot = Math.max(slot, now - LATE_MS) + interval;
  }
  return { promoted, ...lastOf(promoted, slot - interval) };
}

function lastOf(promoted: readonly string[], lastPromotion: number): Pick<Promotions, 'lastPromotion'> {
  return promoted.length > 0 ? { lastPromotion } : {};
}

function candidates(entries: ReadonlyMap<string, Entry>, { namespaces, selector, state }: StepInput, label: string) {
  return namespaces
    .flatMap(({ name, labels }) => {
      const entry = entries.get(name);
      const isReady = entry?.state === 'Soaking' && matches(selector, labels) && isCovered(state, labels);
      return entry && isReady && labels[label] === ROLLOUT_PENDING ? [{ name, entry }] : [];
    })
    .sort((a, b) => a.entry.since - b.entry.since || (a.name < b.name ? -1 : 1));
}

export function soakOf({ rollout }: Pick<StepInput, 'rollout'>): number {
  return durationMs(rollout.soak);
}

function sameEntries(before: ReadonlyMap<string, Entry>, after: ReadonlyMap<string, Entry>): boolean {
  return before.size === after.size && [...after].every(([name, entry]) => before.get(name) === entry);
}
