import type { IsLate } from '../../analysis/compare/budget.ts';

/**
 * The time at which a search ends, in ms since 1970. At this time, the answer is cut, and has only the results that
 * were found so far. If the time is undefined, only the maximum number of pods limits the search.
 */
export type Until = number | undefined;

/** Says whether the time is over. If the time is unlimited, the function returns undefined. */
export function lateAfter(until: Until): IsLate | undefined {
  return until === undefined ? undefined : () => Date.now() >= until;
}
