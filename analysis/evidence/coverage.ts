/**
 * Calculates for how long a container was watched. The shorter a container was watched, the more uses of capabilities
 * may be missing.
 */
import type { ContainerWatch } from './use.ts';

export interface Coverage {
  /** The number of seconds in which at least one instance was watched; absent if no tool reported times. */
  readonly seconds?: number;
  /** The number of instances of the container that were watched. */
  readonly instances: number;
  /** The number of instances whose start a tool saw. */
  readonly starts: number;
  /** The number of checks that tools lost while they watched the container. */
  readonly lost: number;
  readonly from?: string;
  readonly to?: string;
}

export function coverageOf(watches: readonly ContainerWatch[]): Coverage {
  const seconds = secondsIn(watches);
  const [from] = watches.map((watch) => watch.from).sort();
  const to = watches
    .map((watch) => watch.to)
    .sort()
    .at(-1);
  return {
    ...(seconds > 0 && { seconds }),
    instances: new Set(watches.map(instanceOf)).size,
    starts: new Set(watches.filter(({ started }) => started).map(instanceOf)).size,
    lost: watches.reduce((sum, { lost = 0 }) => sum + lost, 0),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
  };
}

function instanceOf({ workload, pod, instance, from }: ContainerWatch): string {
  return JSON.stringify([workload ?? null, pod ?? '', instance ?? from]);
}

/**
 * The number of seconds in which at least one instance was watched. If several instances were watched at the same time,
 * the time counts once.
 */
function secondsIn(watches: readonly ContainerWatch[]): number {
  const sorted = watches.map(({ from, to }) => [Date.parse(from), Date.parse(to)] as const).sort(([a], [b]) => a - b);
  let total = 0;
  let end = Number.NEGATIVE_INFINITY;
  for (const [from, to] of sorted) {
    total += Math.max(0, to - Math.max(from, end));
    end = Math.max(end, to);
  }
  return Math.round(total / 1000);
}
