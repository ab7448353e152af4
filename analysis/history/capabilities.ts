/** Finds the capabilities that containers hold in only one of two snapshots. */
import type { WorkloadName } from '../../operator/evaluate/workloads.ts';
import { perObject } from '../../operator/policy/memo.ts';
import { CAPABILITIES } from '../../operator/standards/capabilities.ts';
import { requests } from '../capabilities/held-request.ts';
import { allHeld, WAYS, type Way } from '../capabilities/how-held.ts';
import type { Shape } from '../snapshot/document.ts';
import type { PairedWorkload } from './workloads.ts';

/**
 * Capabilities that a container gained or lost. A container holds a capability if it holds the capability on at least
 * one runtime.
 */
export interface CapabilityChange extends WorkloadName {
  readonly container: string;
  /**
   * How the container came to hold the capabilities. The value is from the snapshot in which the container holds the
   * capabilities.
   */
  readonly how: Way;
  /** Whether the capabilities apply only in the pod's own user namespace (`hostUsers: false`). */
  readonly inUserNamespace: boolean;
  /** The capabilities, in the order of the kernel's numbers. */
  readonly capabilities: readonly string[];
}

/** A capability that a container holds. */
interface Holding extends Pick<CapabilityChange, 'container' | 'how' | 'inUserNamespace'> {
  readonly capability: string;
}

/**
 * The held capabilities of containers. The key consists of the container, the kind of user namespace and the
 * capability.
 */
type Holdings = ReadonlyMap<string, Holding>;

/**
 * The capabilities that containers hold in the snapshot `side`, but not in the other snapshot. The list is sorted by
 * workload, container and `how`.
 */
export function heldOnlyIn(side: 'before' | 'after', paired: readonly PairedWorkload[]): CapabilityChange[] {
  const other = side === 'before' ? 'after' : 'before';
  return paired.flatMap(({ namespace, kind, name, ...shapes }) => {
    const [here, there] = [shapes[side] ?? [], shapes[other] ?? []];
    if (here.every((shape) => there.includes(shape))) return [];
    const known = holdingsOf(there);
    const own = [...holdingsOf(here)].flatMap(([key, holding]) => (known.has(key) ? [] : [holding]));
    const groups = Map.groupBy(own, ({ container, how, inUserNamespace }) =>
      JSON.stringify([container, WAYS.indexOf(how), inUserNamespace]),
    );
    return [...groups].sort(byKey).map(([, alike]) => {
      const [{ container, how, inUserNamespace }] = alike as [Holding];
      const all = new Set(alike.map(({ capability }) => capability));
      const capabilities = CAPABILITIES.filter((one) => all.has(one));
      return { namespace, kind, name, container, how, inUserNamespace, capabilities };
    });
  });
}

/** The capabilities that pods with any of the given shapes hold. */
function holdingsOf(shapes: readonly Shape[]): Holdings {
  const [first, ...others] = shapes.map(holdingsOfShape);
  if (!first || others.length === 0) return first ?? new Map();
  return others.reduce(merged, first);
}

const holdingsOfShape = perObject(({ spec }: Shape): Holdings => {
  const held = new Map<string, Holding>();
  for (const request of requests(spec)) {
    const { name: container, inUserNamespace } = request;
    for (const [capability, { way: how }] of allHeld(request)) {
      held.set(JSON.stringify([container, inUserNamespace, capability]), {
        container,
        inUserNamespace,
        how,
        capability,
      });
    }
  }
  return held;
});

/**
 * The entries of both maps. If both maps have an entry for a key, the result has the entry whose `how` comes first in
 * WAYS.
 */
function merged(a: Holdings, b: Holdings): Holdings {
  const all = new Map(a);
  for (const [key, holding] of b) {
    const known = all.get(key);
    if (!known || WAYS.indexOf(holding.how) < WAYS.indexOf(known.how)) all.set(key, holding);
  }
  return all;
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
