/** The result of a pass, from the records and the remaining objects. Pure. */
import type { ApiError } from '../cluster/client.ts';
import type { Compiled } from '../compile/compile.ts';
import type { RolloutOutcome } from './outcome.ts';
import { outcomeOf } from './progress.ts';
import { type Records, type RulesetRecord, TRY_AGAIN } from './record.ts';
import { isAdmission, policyOf, rulesetOf, type Unwanted } from './standing.ts';
import { WATCH_LAG_MS } from './writes.ts';

export interface PassResult {
  readonly outcomes: ReadonlyMap<string, RolloutOutcome>;
  /** Why an old set remains, if the API server refuses to delete it: for the log, since its policy may be deleted. */
  readonly unremoved: ApiError | undefined;
  /** When to run again, in ms, if the operator waits for something that no watch reports. */
  readonly comeBackMs: number | undefined;
  /**
   * Until then, by the clock of the passes, nothing but a probe's answer can change this result, as long as the input of
   * the pass stays the same.
   */
  readonly waitsForProbesUntil: number;
}

/** The observations of a pass. */
interface Pass {
  readonly compiled: Compiled;
  readonly old: Unwanted;
  /** The number of answering API servers. */
  readonly answering: number;
  /** Whether all desired rulesets are written, except refused ones. */
  readonly isWritten: boolean;
  /** Whether somebody may have reverted a write before the watch showed it. */
  readonly mayBeUndone: boolean;
  /** Whether a deleted ruleset was seen gone after the steps that wait for that. */
  readonly hasGone: boolean;
  /** By the clock of the passes. */
  readonly now: number;
}

/** An API server takes up to a second to compile a changed policy. */
const PROBE_AGAIN_MS = 100;

/** Records which policies were seen in force with everything that they need. */
export function resultOf(records: Records, seen: Pass): PassResult {
  const { policies } = seen.compiled;
  const progress = { records, outdated: outdatedIn(records, seen.old), answering: seen.answering };
  const parts = policies.map((policy) => ({ policy, outcome: outcomeOf(policy, seen.compiled, progress) }));
  for (const { policy, outcome } of parts) {
    const record = records.get(policy.id);
    if (record && outcome.state === 'InForce') record.programmed = outcome.ruleset;
  }
  const byName = Map.groupBy(parts, ({ policy }) => policy.name);
  const outcomes = new Map([...byName].map(([name, ofOne]) => [name, ofParts(ofOne.map(({ outcome }) => outcome))]));
  const unremoved = [...records.values()].find((record) => record.unremoved)?.unremoved;
  const isSettled = seen.isWritten && !seen.mayBeUndone && !seen.hasGone && !unremoved;
  return {
    outcomes,
    unremoved,
    comeBackMs: comeBackMs([...records.values()], seen),
    waitsForProbesUntil: isSettled ? nextTry([...records.values()]) : Number.NEGATIVE_INFINITY,
  };
}

/** The least advanced of a policy's parts counts. */
function ofParts(outcomes: readonly RolloutOutcome[]): RolloutOutcome {
  const order = ['Failed', 'Working', 'InForce'] as const;
  const state = order.find((one) => outcomes.some((outcome) => outcome.state === one));
  return outcomes.find((outcome) => outcome.state === state) as RolloutOutcome;
}

/** Rulesets that may be in force beside the desired ones, by policy. */
function outdatedIn(records: Records, { stale, kept }: Unwanted): Map<string, string> {
  const present = [...stale, ...kept].filter(isAdmission);
  return new Map([
    ...present.map((object) => [policyOf(object), rulesetOf(object) ?? ''] as const),
    ...records.leaving().map(({ policy, ruleset }) => [policy, ruleset] as const),
  ]);
}

function comeBackMs(records: readonly RulesetRecord[], seen: Pass): number | undefined {
  const { old, isWritten, mayBeUndone, now } = seen;
  if (!isWritten) return 0;
  const awaited = records.some((record) => record.desired && !record.refusal && !record.isInForce);
  const isLeaving = records.some(({ leaving }) => leaving.size > 0) || old.stale.some((one) => !isAdmission(one));
  const ms = Math.min(
    awaited || isLeaving ? PROBE_AGAIN_MS : Number.POSITIVE_INFINITY,
    mayBeUndone ? WATCH_LAG_MS : Number.POSITIVE_INFINITY,
    Math.max(0, nextTry(records) - now),
    records.some(({ unremoved }) => unremoved) ? TRY_AGAIN.refusedMs : Number.POSITIVE_INFINITY,
  );
  return Number.isFinite(ms) ? ms : undefined;
}

/** When a refused write is tried again: infinite if there is none. */
function nextTry(records: readonly RulesetRecord[]): number {
  return Math.min(...records.map(({ refusal }) => refusal?.tryAt ?? Number.POSITIVE_INFINITY));
}
