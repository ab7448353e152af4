import type { IsLate } from '../../../analysis/compare/budget.ts';

/**
 * @param ms the time from now. If absent, the time is unlimited
 * @returns a function that says whether the time is over. If the time is unlimited, the result is undefined
 */
export function lateIn(ms: number): IsLate;
export function lateIn(ms: number | undefined): IsLate | undefined;
export function lateIn(ms: number | undefined): IsLate | undefined {
  if (ms === undefined) return undefined;
  const end = performance.now() + ms;
  return () => performance.now() >= end;
}
