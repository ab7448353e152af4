/** Only what was seen since a time. */
import type { CapabilityUse, ContainerWatch, Evidence } from './use.ts';

/**
 * Keeps records without a time, and the whole count of a use that began before: nothing that was used is lost.
 *
 * @param time in the form of `Date.toISOString()`
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
