/** Finds the capabilities that a container holds, and how the container came to hold each capability. */
import { type Way, wayOn } from '../../analysis/capabilities/how-held.ts';
import type { ContainerRuntime } from '../../analysis/capabilities/runtimes.ts';
import type { ContainerCapabilities } from '../../analysis/snapshot/document.ts';
import { CAPABILITIES_BY_RISK } from '../../operator/standards/capabilities.ts';

export type Runtime = ContainerRuntime['name'];

/** The capabilities in the order of the map's columns. The most dangerous capability comes first. */
export const COLUMNS = CAPABILITIES_BY_RISK;
const COLUMN_OF = new Map(COLUMNS.map(({ name }, column) => [name, column]));

/**
 * The ways in which a container holds a capability. The container lacks the capability, gets the capability from the
 * container runtime, adds the capability, or is privileged.
 */
export const HELD = { no: 0, byDefault: 1, added: 2, privileged: 3 } as const;
const OF_WAY: Readonly<Record<Way, number>> = {
  ByDefault: HELD.byDefault,
  Added: HELD.added,
  Privileged: HELD.privileged,
};

export function columnOf(capability: string): number | undefined {
  return COLUMN_OF.get(capability);
}

/** The list has a value of HELD for each column. If the runtime does not start the container, all numbers are zero. */
export function heldBy({ privileged, add, held }: ContainerCapabilities, runtime: Runtime): Uint8Array {
  const how = new Uint8Array(COLUMNS.length);
  const holds = held[runtime];
  if ('error' in holds) return how;
  const wayOf = wayOn({ name: runtime }, { privileged, add });
  for (const name of holds as readonly string[]) {
    const column = COLUMN_OF.get(name);
    if (column !== undefined) how[column] = OF_WAY[wayOf(name)];
  }
  return how;
}
