/** Writes rendered objects that are missing in the cluster or have drifted. */
import { isDeepStrictEqual } from 'node:util';
import { FIELD_MANAGER, MANAGED_BY_LABEL } from '../api/capability-policy.ts';
import { type ApiClient, isForbidden, isInvalid, isNotFound, pathFor, pathOf } from '../cluster/client.ts';
import type { Manifest } from '../compile/objects.ts';
import type { RenderedObject } from '../model/objects.ts';
import { versionOf } from '../model/raw.ts';
import type { Clock } from '../runtime/clock.ts';
import { inParallel } from '../runtime/in-parallel.ts';
import { hasText, keyOf, type Live, liveObjects } from '../state/live.ts';
import { canonical, hasDrifted } from './drift.ts';
import { refuserIn } from './refuser.ts';

interface Named {
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

interface WrittenObject {
  readonly kind: string;
  readonly name: string;
  /** The name of the policy, if the object is for a single policy. */
  readonly policy?: string;
}

/**
 * The writer calls this function after each write and each deletion of an object. The action is `repaired` if the
 * object was missing or differed from the operator's last write.
 */
export type OnWrite = (action: 'created' | 'updated' | 'repaired' | 'deleted', object: WrittenObject) => void;

/**
 * The watch usually shows a write of the operator within this time in ms. If the watch has not shown the write within
 * this time, the watch is late, or somebody has reverted the write. The operator then reads the object. The wait for a
 * deletion has no time limit, because the uid of the deleted object never appears again.
 */
export const WATCH_LAG_MS = 1_500;
const READS_AT_ONCE = 4;

/**
 * A write or a deletion that the watch has not shown yet. A write has the API server's answer and the time of the
 * write. A deletion has the UID of the deleted object.
 */
type Unseen =
  | { readonly object: RenderedObject; readonly at: number }
  | { readonly object?: undefined; readonly uid: string | undefined };

/** The state of one object. */
interface ObjectRecord {
  /**
   * The operator's last write or deletion. The writer removes this field when the watch shows the written state of the
   * object, or a later state.
   */
  unseen?: Unseen | undefined;
  /**
   * The operator's last write. A comparison with the last write shows whether the object or the manifest has changed
   * since the write. Somebody else can have changed the object, or the operator can have changed the manifest.
   */
  written?: { readonly manifest: Manifest; readonly version: bigint };
  /**
   * A manifest and a live object that were found to be equal. The writer does not compare the manifest and the object
   * again until the manifest or the object changes.
   */
  same?: { readonly manifest: Manifest; readonly seen: RenderedObject };
}

interface WritesOptions {
  readonly onWrite: OnWrite;
  /** After the signal is aborted, the writer begins no write and throws the signal's reason. */
  readonly signal?: AbortSignal;
  readonly clock: Pick<Clock, 'now'>;
}

export class Writes {
  readonly #client: ApiClient;
  readonly #options: WritesOptions;
  /** The records of objects. The key is the kind and the name of the object. */
  readonly #records = new Map<string, ObjectRecord>();

  constructor(client: ApiClient, options: WritesOptions) {
    this.#client = client;
    this.#options = options;
  }

  /**
   * Reads each object whose last write the watch should have shown by now. Afterwards, the writer waits until the watch
   * shows the state that was read. Only a read can show whether the watch is late or somebody has reverted the write.
   * Without the read, the operator would replace an admission policy by the old version that the late watch shows, and
   * the API server would answer 409.
   */
  async readOverdue(rendered: readonly RenderedObject[]): Promise<void> {
    const overdue = [...this.#records].filter(([, { unseen }]) => unseen && this.#isOverdue(unseen));
    if (overdue.length === 0) return;
    const shown = liveObjects(rendered);
    await inParallel(overdue, READS_AT_ONCE, async ([key, record]) => {
      const { unseen } = record;
      if (!unseen?.object || shows(shown.get(key), unseen)) return;
      this.#options.signal?.throwIfAborted();
      record.unseen = await this.#read(unseen.object).catch(() => unseen);
    });
  }

  /**
   * Reads the state of an object that a watch without delay would show. The operator may list these objects, but may
   * not get them.
   */
  async #read({ apiVersion, kind, metadata: { name, uid } }: RenderedObject): Promise<Unseen> {
    const query = { fieldSelector: `metadata.name=${name}`, labelSelector: `${MANAGED_BY_LABEL}=${FIELD_MANAGER}` };
    const found: RenderedObject[] = [];
    await this.#client.list(pathFor(apiVersion, kind), query, ({ items }) => {
      // Items of a list have no `apiVersion` and `kind`.
      for (const item of items ?? []) found.push({ ...item, apiVersion, kind } as RenderedObject);
    });
    const [object] = found;
    return object ? { object, at: this.#now() } : { uid };
  }

  /**
   * The existing objects, as the watch shows them. The objects include the operator's writes, even if the watch has not
   * shown these writes yet.
   */
  live(rendered: readonly RenderedObject[]): Live {
    const now = liveObjects(rendered);
    for (const [key, record] of this.#records) {
      // The operator checks at the start of a pass whether the watch has shown a write. The operator does not check
      // again during the pass. During the pass, the operator reads its own writes as part of the objects, even if the
      // watch has not shown these writes yet.
      if (record.unseen && !this.#isAwaited(record.unseen, now.get(key))) record.unseen = undefined;
      const object = this.#latest(record, now.get(key));
      if (object) now.set(key, object);
      else now.delete(key);
    }
    return now;
  }

  /**
   * Forgets the last writes of all objects except the wanted objects. The writer keeps the record of a write or of a
   * deletion until the watch has shown it.
   * @param wanted the keys of the wanted objects
   */
  keep(wanted: ReadonlySet<string>): void {
    for (const [key, { unseen }] of this.#records) if (!wanted.has(key) && !unseen) this.#records.delete(key);
  }

  /**
   * The objects of `live` with the changes of all later writes. A write of the same pass counts even if it has become
   * overdue during the pass.
   */
  latest(live: Live): Live {
    const now = new Map(live);
    for (const [key, { unseen }] of this.#records) {
      const seen = now.get(key);
      const object = unseen && !shows(seen, unseen) ? unseen.object : seen;
      if (object) now.set(key, object);
      else now.delete(key);
    }
    return now;
  }

  /**
   * Writes the object if it is missing or has drifted.
   * @param policy the name of the policy, if the object is for a single policy
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
    // The write changed nothing in the cluster. So nobody has reverted the last write, and the watch is only late.
    if (again && last?.version === version) return false;
    this.#tell(again ? 'repaired' : before ? 'updated' : 'created', manifest, policy);
    return true;
  }

  /** Deletes an object that is no longer wanted. */
  async remove(object: RenderedObject, policy?: string): Promise<void> {
    const { uid } = object.metadata;
    this.#options.signal?.throwIfAborted();
    const record = this.#recordOf(object);
    // If the object is needed again later, the write of the object does not count as a repair.
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
   * Whether there is a write that the watch has not shown yet. If somebody reverts a write at once, the watch may show
   * only the reverted state and never the written state. Callers must therefore compare the objects again after
   * WATCH_LAG_MS. A write may become overdue during a pass. An overdue write also counts as a write that the watch has
   * not shown, because the pass relied on the overdue write.
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

  /** The current object. The result is undefined if the object does not exist. */
  #latest({ unseen }: ObjectRecord, seen: RenderedObject | undefined): RenderedObject | undefined {
    return unseen && this.#isAwaited(unseen, seen) ? unseen.object : seen;
  }

  /** Whether the operator still waits for the watch to show the write. */
  #isAwaited(unseen: Unseen, seen: RenderedObject | undefined): boolean {
    return !this.#isOverdue(unseen) && !shows(seen, unseen);
  }

  /** Whether the watch should have shown the write by now. A deletion is never overdue. */
  #isOverdue(unseen: Unseen): boolean {
    return unseen.object !== undefined && this.#now() - unseen.at >= WATCH_LAG_MS;
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
    const { applied, refusal } = await this.#apply(manifest, before);
    if (!hasDrifted(applied, manifest)) return applied;
    // Server-side apply does not remove a field that somebody added. The object belongs to the operator alone, so the
    // operator replaces the object.
    const { resourceVersion } = applied.metadata;
    const whole = { ...manifest, metadata: { ...manifest.metadata, resourceVersion } };
    try {
      return (await this.#client.replace(whole)) as RenderedObject;
    } catch (error) {
      // The operator may not replace objects of every kind. An error about this missing right would hide the refusal of
      // somebody else.
      throw refusal && refuserIn(refusal.message) && isForbidden(error) ? refusal : error;
    }
  }

  /**
   * Applies the manifest. If another owner has added a field, the API server may refuse the apply as invalid. For
   * example, somebody may add a parameter to a binding. If a write leaves the parameter in the binding, the writer
   * needs the right to read the parameter (k8s.io/kubernetes
   * pkg/registry/admissionregistration/validatingadmissionpolicybinding/authz.go).
   *
   * @returns the object. If the API server refused the apply as invalid, the object is unchanged, and `refusal` is the
   * API server's error. An admission policy of somebody else refuses with the same status code
   */
  async #apply(
    manifest: Manifest,
    before: RenderedObject | undefined,
  ): Promise<{ readonly applied: RenderedObject; readonly refusal?: Error }> {
    try {
      return { applied: (await this.#client.apply(manifest, { force: true })) as RenderedObject };
    } catch (error) {
      if (!before || !hasDrifted(before, manifest) || !isInvalid(error)) throw error;
      return { applied: before, refusal: error };
    }
  }
}

/**
 * Makes the object that replaces a whole admission policy at once. Server-side apply could merge the lists of the old
 * and the new policy. API servers must never load a mixture of two policies. The function keeps labels and annotations
 * of other field managers. The function also keeps finalizers. If a write removed the finalizers of an object that is
 * being deleted, the object would disappear.
 *
 * @param before the version that was read. If the object has changed after the read, the API server answers 409
 */
export function inPlaceOf(
  { metadata: { resourceVersion, finalizers = [], ...before } }: RenderedObject,
  manifest: Manifest,
) {
  const labels = { ...before.labels, ...manifest.metadata.labels };
  const annotations = { ...before.annotations, ...manifest.metadata.annotations };
  return { ...manifest, metadata: { ...manifest.metadata, labels, annotations, finalizers, resourceVersion } };
}

/**
 * Whether the object must be deleted before it can be written. The API server refuses every change of a roleRef. If a
 * role has an aggregationRule, only a writer with all rights may change the role (k8s.io/kubernetes
 * pkg/registry/rbac/clusterrole/policybased/storage.go).
 */
function isUnchangeable(before: RenderedObject, manifest: Manifest): boolean {
  return canonical(before.roleRef) !== canonical(manifest.roleRef) || before.aggregationRule !== undefined;
}

function shows(seen: RenderedObject | undefined, unseen: Unseen): boolean {
  if (unseen.object) return seen !== undefined && versionOf(seen) >= versionOf(unseen.object);
  // A finalizer may keep a deleted object in the cluster.
  return seen?.metadata.uid !== unseen.uid || seen?.metadata.deletionTimestamp !== undefined;
}
