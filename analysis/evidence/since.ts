/** Filters evidence by time. */
import type { CapabilityUse, ContainerWatch, Evidence } from './use.ts';

/**
 * Returns the evidence since a given time. Records without a time are kept. If a use began before the given time and
 * ended after this time, the result has the whole count of the use. No use is then lost.
 *
 * @param time the given time, in the form of `Date.toISOString()`
 */
export function since(time: string, { uses, watches }: Evidence): Evidence {
  return { uses: uses.filter((use) => isSeen(use, time)), watches: watches.flatMap((watch) => clipped(watch, time)) };
}

function isSeen({ first, last = first }: CapabilityUse, time: string): boolean {
  return last === undefined || last >= time;
}

function clipped(watch: ContainerWatch, time: string): ContainerWatch[] {
  if (watch.to < time) return [];
  return watch.from >= time ? [watch] : [{ ...watch, from: time, started: false }];
}
