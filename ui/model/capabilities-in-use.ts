/** Counts the workloads of a snapshot that hold each capability. */
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import { workloadsOf } from '../../analysis/snapshot/workloads.ts';
import type { Capability } from '../../operator/standards/capabilities.ts';
import { COLUMNS, HELD, heldBy, type Runtime } from './holding.ts';

/**
 * The number of workloads that hold a capability, for each way of holding the capability. Each workload counts once. If
 * the containers of a workload hold the capability in several ways, the strongest way counts.
 */
export interface InUse {
  readonly capability: Capability;
  readonly privileged: number;
  readonly added: number;
  readonly byDefault: number;
}

/** The capabilities that workloads hold, sorted by danger. The most dangerous capability comes first. */
export function capabilitiesInUse({ namespaces, shapes }: Snapshot, runtime: Runtime): InUse[] {
  const counts = COLUMNS.map(() => [0, 0, 0, 0]);
  const ofShapes = shapes.map(({ capabilities }) => strongest(capabilities.map((one) => heldBy(one, runtime))));
  for (const namespace of namespaces) {
    for (const workload of workloadsOf(namespace)) {
      const held = strongest(workload.shapes.map((shape) => ofShapes[shape] ?? new Uint8Array()));
      for (const [column, how] of held.entries()) (counts[column] as number[])[how] = (counts[column]?.[how] ?? 0) + 1;
    }
  }
  return COLUMNS.flatMap((capability, column) => {
    const [, byDefault = 0, added = 0, privileged = 0] = counts[column] ?? [];
    return byDefault + added + privileged > 0 ? [{ capability, privileged, added, byDefault }] : [];
  });
}

/**
 * Combines several lists of ways to hold capabilities. For each column, the result has the strongest way that any of
 * the lists contains.
 */
export function strongest(ways: readonly Uint8Array[]): Uint8Array {
  const [first = new Uint8Array(COLUMNS.length)] = ways;
  if (ways.length <= 1) return first;
  return first.map((_, column) => Math.max(HELD.no, ...ways.map((way) => way[column] ?? HELD.no)));
}
