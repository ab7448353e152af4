/**
 * Keeps the objects that existed in a pending namespace at some time. An object may be gone or changed before the
 * namespace is evaluated. For example, the pod of a CronJob may exist for a second.
 */
import type { Seen } from '../evaluate/members.ts';
import type { Owner, SeenObject } from '../model/objects.ts';
import { idOf } from '../policy/memo.ts';

/**
 * The maximum number of distinct objects that are recorded for each namespace. The oldest objects are forgotten first.
 */
const MOST_SEEN = 256;

export class SeenObjects {
  /**
   * The recorded objects. The first key is the namespace. The second key contains all inputs of a verdict on the
   * object.
   */
  readonly #seen = new Map<string, Map<string, Seen>>();

  /** @param at the time in milliseconds since 1970 */
  add(namespace: string, objects: readonly SeenObject[], at: number): void {
    const seen = this.#seen.get(namespace) ?? new Map<string, Seen>();
    for (const object of objects.filter(({ finished }) => !finished)) {
      const key = keyOf(object);
      // The newest object has to be the last entry of the map.
      seen.delete(key);
      seen.set(key, { object, at });
    }
    for (const [oldest] of seen) {
      if (seen.size <= MOST_SEEN) break;
      seen.delete(oldest);
    }
    if (seen.size > 0) this.#seen.set(namespace, seen);
  }

  /** The objects of a namespace that were added since the last `take`. */
  in(namespace: string): Seen[] {
    return [...(this.#seen.get(namespace)?.values() ?? [])];
  }

  /** Removes and returns the objects of a namespace. */
  take(namespace: string): Seen[] {
    const seen = this.in(namespace);
    this.#seen.delete(namespace);
    return seen;
  }

  /** Puts back objects that `take` returned, after an evaluation that did not end. */
  restore(namespace: string, seen: readonly Seen[]): void {
    for (const { object, at } of seen) {
      const newer = this.#seen.get(namespace)?.get(keyOf(object));
      if (!newer) this.add(namespace, [object], at);
    }
  }

  forget(namespace: string): void {
    this.#seen.delete(namespace);
  }
}

/**
 * A key that contains all inputs of a verdict on the object. The projection shares one object among equal specs, and
 * one object among equal annotations. Two pods have the same creator if their owners have the same kind.
 */
function keyOf(object: SeenObject): string {
  const { spec, annotations } = 'template' in object ? object.template : object;
  const kind = 'template' in object ? object.kind : 'Pod';
  return [kind, idOf(spec), idOf(annotations), ownerKind(object.owner)].join(' ');
}

function ownerKind(owner: Owner | undefined): string {
  return owner ? `${owner.apiVersion} ${owner.kind}` : '';
}
