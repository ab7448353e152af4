import type { IsLate } from '../../analysis/compare/budget.ts';

/**
 * The time at which a search ends, in ms since 1970. The answer is then cut: it has only what is found so far. Without
 * this time, the search has only the limit of pods.
 */
export type Until = number | undefined;

/** Says whether the time is over. The result is undefined if the time is unlimited. */
export function lateAfter(until: Until): IsLate | undefined {
  return until === undefined ? undefined : () => Date.now() >= until;
}
