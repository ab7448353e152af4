/** Writes rendered objects where they are missing or have drifted. */
import { isDeepStrictEqual } from 'node:util';
import { type ApiClient, isInvalid, isNotFound, pathOf } from '../cluster/client.ts';
import type { Manifest } from '../compile/objects.ts';
import type { RenderedObject } from '../model/objects.ts';
import { versionOf } from '../model/raw.ts';
import type { Clock } from '../runtime/clock.ts';
import { hasText, keyOf, type Live, liveObjects } from '../state/live.ts';
import { canonical, hasDrifted } from './drift.ts';

interface Named {
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

interface WrittenObject {
  readonly kind: string;
  readonly name: string;
  /** The name of the policy, if the object is for one policy only. */
  readonly policy?: string;
}

/**
 * Called for each object that was written or deleted. Repaired: the object was missing or differed from the operator's
 * last write.
 */
export type OnWrite = (action: 'created' | 'updated' | 'repaired' | 'deleted', object: WrittenObject) => void;

/**
 * The watch shows our own writes well within this time. If it does not, somebody reverted the write first, and writing
 * again is harmless. A deletion has no such limit, because no later object has its uid.
 */
export const WATCH_LAG_MS = 1_500;

/** A write with the API server's answer and the time by the clock, or the deletion of the object with the UID. */
type Unseen =
  | { readonly object: RenderedObject; readonly at: number }
  | { readonly object?: undefined; readonly uid: string | undefined };

/** The state of one object. */
interface ObjectRecord {
  /** Our last write or deletion that the watch has not shown yet. Until then, the watch shows older states. */
  unseen?: Unseen | undefined;
  /**
   * Our last write. A comparison with it shows whether somebody else changed the object, or the operator now wants
   * another text.
   */
  written?: { readonly manifest: Manifest; readonly version: bigint };
  /** Whether the object was missing at the beginning of the last pass. */
  missing?: boolean;
  /** A pair of objects that were found equal. The two objects are not compared again as long as both stay the same. */
  same?: { readonly manifest: Manifest; readonly seen: RenderedObject };
}

interface WritesOptions {
  readonly onWrite: OnWrite;
  /** Once the signal is aborted, no write begins, and the signal's reason is thrown. */
  readonly signal?: AbortSignal;
  readonly clock: Pick<Clock, 'now'>;
}

export class Writes {
  readonly #client: ApiClient;
  readonly #options: WritesOptions;
  /** The records, by kind and name of the object. */
  readonly #records = new Map<string, ObjectRecord>();

  constructor(client: ApiClient, options: WritesOptions) {
    this.#client = client;
    this.#options = options;
  }

  /** The existing objects as the watch shows them, with our own writes that it has not shown yet. */
  live(rendered: readonly RenderedObject[]): Live {
    const now = liveObjects(rendered);
    for (const [key, record] of this.#records) {
      // Whether the watch has shown a write is checked only at the start of a pass. Later, the compared objects include
      // our own writes, which the watch has not shown yet.
      if (record.unseen && !this.#isAwaited(record.unseen, now.get(key))) record.unseen = undefined;
      const object = this.#latest(record, now.get(key));
      if (object) now.set(key, object);
      else now.delete(key);
      // The last pass would have written the object again if it was still wanted.
      if (record.missing && !object && !record.unseen) this.#records.delete(key);
      record.missing = !object;
    }
    return now;
  }

  /** The existing objects, including everything that was written since. */
  latest(live: Live): Live {
    const now = new Map(live);
    for (const [key, record] of this.#records) {
      const object = this.#latest(record, now.get(key));
      if (object) now.set(key, object);
      else now.delete(key);
    }
    return now;
  }

  /**
   * Writes the object if it is missing or has drifted.
   * @param policy the name of the policy, if the object is for one policy only
   * @returns whether anything had to be changed
   */
  async ensure(manifest: Manifest, live: Live, policy?: string): Promise<boolean> {
    if (this.isCurrent(manifest, live)) return false;
    const record = this.#recordOf(manifest);
    const before = this.#latest(record, live.get(keyOf(manifest)));
    const after = await this.#write(manifest, before);
    const version = versionOf(after);
    const last = record.written;
    record.unseen = { object: after, at: this.#now() };
    record.written = { manifest, version };
    const again = isDeepStrictEqual(last?.manifest, manifest);
    // Nobody reverted the write: the watch lags.
    if (again && last?.version === version) return false;
    this.#tell(again ? 'repaired' : before ? 'updated' : 'created', manifest, policy);
    return true;
  }

  /** Deletes an object that is no longer wanted. */
  async remove(object: RenderedObject, policy?: string): Promise<void> {
    const { uid } = object.metadata;
    this.#options.signal?.throwIfAborted();
    const record = this.#recordOf(object);
    // If the object is wanted again later, writing it does not count as a repair.
    this.#records.set(keyOf(object), { unseen: record.unseen });
    try {
      await this.#client.remove(pathOf(object), uid === undefined ? {} : { uid });
      this.#tell('deleted', object, policy);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    this.#records.set(keyOf(object), { unseen: { uid } });
  }

  #tell(action: Parameters<OnWrite>[0], { kind, metadata: { name } }: Named, policy: string | undefined): void {
    this.#options.onWrite(action, { kind, name, ...(policy !== undefined && { policy }) });
  }

  /**
   * Whether the watch has not shown some write yet. The watch never shows a write that was reverted at once, and it may
   * have reported the revert earlier. So the objects have to be compared again after WATCH_LAG_MS. A write that became
   * overdue during a pass also counts, because that pass relied on it.
   */
  get mayBeUndone(): boolean {
    return this.#records.values().some(({ unseen }) => unseen?.object);
  }

  /** Whether the live object equals the manifest, so that nothing has to be written. */
  isCurrent(manifest: Manifest, live: Live): boolean {
    const record = this.#recordOf(manifest);
    const seen = this.#latest(record, live.get(keyOf(manifest)));
    if (!seen) return false;
    const { same } = record;
    if (same?.manifest === manifest && same.seen === seen) return true;
    if (hasDrifted(seen, manifest)) return false;
    record.same = { manifest, seen };
    return true;
  }

  /** The current object; undefined if it does not exist. */
  #latest({ unseen }: ObjectRecord, seen: RenderedObject | undefined): RenderedObject | undefined {
    return unseen && this.#isAwaited(unseen, seen) ? unseen.object : seen;
  }

  /** Whether the watch may still show the write. */
  #isAwaited(unseen: Unseen, seen: RenderedObject | undefined): boolean {
    const isOverdue = unseen.object && this.#now() - unseen.at >= WATCH_LAG_MS;
    return !isOverdue && !shows(seen, unseen);
  }

  #now(): number {
    return this.#options.clock.now();
  }

  #recordOf(object: Named): ObjectRecord {
    const key = keyOf(object);
    const known = this.#records.get(key);
    if (known) return known;
    const record = {};
    this.#records.set(key, record);
    return record;
  }

  async #write(manifest: Manifest, before: RenderedObject | undefined): Promise<RenderedObject> {
    this.#options.signal?.throwIfAborted();
    if (before && hasText(manifest)) return (await this.#client.replace(inPlaceOf(before, manifest))) as RenderedObject;
    if (before && isUnchangeable(before, manifest)) {
      await this.#client.remove(pathOf(manifest), { uid: before.metadata.uid ?? '' });
    }
    const applied = await this.#apply(manifest, before);
    if (!hasDrifted(applied, manifest)) return applied;
    // Server-side apply would keep a field that somebody added. The object belongs to the operator alone, so it is
    // replaced.
    const { resourceVersion } = applied.metadata;
    const whole = { ...manifest, metadata: { ...manifest.metadata, resourceVersion } };
    return (await this.#client.replace(whole)) as RenderedObject;
  }

  /**
   * An addition by another owner can make our apply invalid. For example, the API server refuses each write that leaves a
   * parameter in a binding, unless the writer may read that parameter (k8s.io/kubernetes
   * pkg/registry/admissionregistration/validatingadmissionpolicybinding/authz.go).
   *
   * @returns the object, which is unchanged after such a refusal
   */
  async #apply(manifest: Manifest, before: RenderedObject | undefined): Promise<RenderedObject> {
    try {
      return (await this.#client.apply(manifest, { force: true })) as RenderedObject;
    } catch (error) {
      if (!before || !hasDrifted(before, manifest) || !isInvalid(error)) throw error;
      return before;
    }
  }
}

/**
 * Replaces the whole text at once. Server-side apply could merge the lists of two texts, and API servers must never load
 * such a mixture. Labels and annotations of others stay. Finalizers stay, too: without them, an object that is being
 * deleted would disappear.
 *
 * @param before the version that was read; if the object has changed since then, the API server answers 409
 */
function inPlaceOf({ metadata: { resourceVersion, finalizers = [], ...before } }: RenderedObject, manifest: Manifest) {
  const labels = { ...before.labels, ...manifest.metadata.labels };
  const annotations = { ...before.annotations, ...manifest.metadata.annotations };
  return { ...manifest, metadata: { ...manifest.metadata, labels, annotations, finalizers, resourceVersion } };
}

/**
 * Whether the object must be deleted before it can be written. The API server refuses every change of a roleRef. The
 * API server also refuses every change of a role with an aggregationRule, unless the writer has all rights
 * (k8s.io/kubernetes pkg/registry/rbac/clusterrole/policybased/storage.go).
 */
function isUnchangeable(before: RenderedObject, manifest: Manifest): boolean {
  return canonical(before.roleRef) !== canonical(manifest.roleRef) || before.aggregationRule !== undefined;
}

function shows(seen: RenderedObject | undefined, unseen: Unseen): boolean {
  if (unseen.object) return seen !== undefined && versionOf(seen) >= versionOf(unseen.object);
  // A finalizer may still keep the object in the cluster.
  return seen?.metadata.uid !== unseen.uid || seen?.metadata.deletionTimestamp !== undefined;
}
