/** Finds the capabilities that containers hold in one snapshot and not in the other. */
import type { WorkloadName } from '../../operator/evaluate/workloads.ts';
import { perObject } from '../../operator/policy/memo.ts';
import { CAPABILITIES } from '../../operator/standards/capabilities.ts';
import { requests } from '../capabilities/held-request.ts';
import { allHeld, WAYS, type Way } from '../capabilities/how-held.ts';
import type { Shape } from '../snapshot/document.ts';
import type { PairedWorkload } from './workloads.ts';

/** Capabilities that a container gained or lost. A capability is held if the container holds it on some runtime. */
export interface CapabilityChange extends WorkloadName {
  readonly container: string;
  /** How the container came to hold the capabilities, in the snapshot where it holds them. */
  readonly how: Way;
  /** Whether the capabilities count only in the pod's own user namespace (`hostUsers: false`). */
  readonly inUserNamespace: boolean;
  /** The capabilities, in the order of the kernel's numbers. */
  readonly capabilities: readonly string[];
}

/** A capability that a container holds. */
interface Holding extends Pick<CapabilityChange, 'container' | 'how' | 'inUserNamespace'> {
  readonly capability: string;
}

/** Holdings by container, kind of user namespace and capability. */
type Holdings = ReadonlyMap<string, Holding>;

/** The capabilities that containers hold on the one side only, sorted by workload, container and `how`. */
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

/** The holdings of pods of any of these shapes. */
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

/** All holdings of both. If both have a capability, the way that asks for more counts. */
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
