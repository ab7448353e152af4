/** Chooses the soaking namespaces that a step of a rollout promotes. */
import { ROLLOUT_PENDING } from '../api/capability-policy.ts';
import { matches } from '../policy/selector.ts';
import { durationMs } from './duration.ts';
import { evaluated } from './entries.ts';
import type { StepInput } from './input.ts';
import { type Entry, isCovered } from './state.ts';

export interface Promotions {
  readonly promoted: readonly string[];
  readonly lastPromotion?: number;
  readonly next?: { readonly namespace: string; readonly at: number };
}

/**
 * If a promotion is late by at most this time in ms, the promotion counts as punctual. Without this tolerance, small
 * delays would slow down the pace of the rollout.
 */
const LATE_MS = 1_000;
const HOUR_MS = 3_600_000;

/**
 * Promotes namespaces one after the other, at the pace of the rollout. The namespaces that have been compliant longest
 * come first. Namespaces that became compliant at the same time are sorted by name.
 */
export function promote(entries: Map<string, Entry>, input: StepInput, label: string): Promotions {
  const { state, rollout, now } = input;
  // Some API server may still enforce an older version of the policy. The older version may refuse pods that the newest
  // version admits.
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
    // If the namespace has no current verdict, or has a new violation of the policy, the next step decides about the
    // namespace.
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
    .flatMap((namespace) => {
      const { name, labels } = namespace;
      const entry = entries.get(name);
      if (entry?.state !== 'Soaking' || !matches(selector, labels)) return [];
      const isHeldBack = entry.byName || (isCovered(state, namespace) && labels[label] === ROLLOUT_PENDING);
      return isHeldBack ? [{ name, entry }] : [];
    })
    .sort((a, b) => a.entry.since - b.entry.since || (a.name < b.name ? -1 : 1));
}

export function soakOf({ rollout }: Pick<StepInput, 'rollout'>): number {
  return durationMs(rollout.soak);
}
