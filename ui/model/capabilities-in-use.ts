/** Which capabilities the workloads of a snapshot hold, and how many workloads hold each. */
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import { workloadsOf } from '../../analysis/snapshot/workloads.ts';
import type { Capability } from '../../operator/standards/capabilities.ts';
import { COLUMNS, HELD, heldBy, type Runtime } from './holding.ts';

/** Workloads, each once, by the strongest way in which one of its containers holds the capability. */
export interface InUse {
  readonly capability: Capability;
  readonly privileged: number;
  readonly added: number;
  readonly byDefault: number;
}

/** The capabilities that some workload holds, the most dangerous first. */
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

/** By column, the strongest of some ways. */
export function strongest(ways: readonly Uint8Array[]): Uint8Array {
  const [first = new Uint8Array(COLUMNS.length)] = ways;
  if (ways.length <= 1) return first;
  return first.map((_, column) => Math.max(HELD.no, ...ways.map((way) => way[column] ?? HELD.no)));
}
