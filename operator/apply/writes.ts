/** Writes rendered objects where they are missing or have drifted. */
import { isDeepStrictEqual } from 'node:util';
import type { ApiClient } from '../cluster/client.ts';
import type { RenderedObject } from '../cluster/objects.ts';
import type { Manifest } from '../compile/objects.ts';
import { hasDrifted } from './drift.ts';
import { keyOf, type Standing } from './standing.ts';

interface Named {
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

export interface WrittenObject {
  readonly kind: string;
  readonly name: string;
  readonly policy: string;
}

/** Told of each object that was written or deleted. Repaired: it said, or was, something else than we last wrote. */
export type OnWrite = (action: 'created' | 'updated' | 'repaired' | 'deleted', object: WrittenObject) => void;

/** The watch shows our own writes well within this; if not, somebody undid them first. To write again does no harm. */
export const WATCH_LAG_MS = 1_500;

/** What is known of one object. */
interface ObjectRecord {
  /** Our last write, until the watch shows it: what the watch shows until then is older. */
  unseen?: { readonly version: bigint; readonly at: number } | undefined;
  /** What we last wrote: whether somebody else changed the object, or we want it otherwise. */
  written?: { readonly manifest: Manifest; readonly version: bigint };
  /** What a dry run accepted. */
  rehearsed?: Manifest;
  /** What was found to say the same: neither has to be looked at again as long as both are the same objects. */
  same?: { readonly manifest: Manifest; readonly seen: RenderedObject };
}

export class Writes {
  readonly #client: ApiClient;
  readonly #onWrite: OnWrite;
  readonly #signal: AbortSignal | undefined;
  /** By kind and name. */
  readonly #records = new Map<string, ObjectRecord>();

  /** @param signal once it is aborted, no write is begun: its reason is thrown */
  constructor(client: ApiClient, onWrite: OnWrite, signal?: AbortSignal) {
    this.#client = client;
    this.#onWrite = onWrite;
    this.#signal = signal;
  }

  /** @returns whether anything had to be changed */
  async ensure(policy: string, manifest: Manifest, live: Standing): Promise<boolean> {
    if (this.isCurrent(manifest, live)) return false;
    const before = live.get(keyOf(manifest));
    const after = await this.#write(manifest);
    const version = BigInt(after.metadata.resourceVersion ?? 0);
    const record = this.#recordOf(manifest);
    const last = record.written;
    record.unseen = { version, at: Date.now() };
    record.written = { manifest, version };
    const again = isDeepStrictEqual(last?.manifest, manifest);
    // Nobody undid it: it is the watch that is behind.
    if (again && last?.version === version) return false;
    const { kind, metadata } = manifest;
    this.#onWrite(again ? 'repaired' : before ? 'updated' : 'created', { kind, name: metadata.name, policy });
    return true;
  }

  /** @throws what the API server would say to `ensure`, which is asked once for each text */
  async rehearse(manifest: Manifest, live: Standing): Promise<void> {
    if (this.isCurrent(manifest, live)) return;
    const record = this.#recordOf(manifest);
    if (isDeepStrictEqual(record.rehearsed, manifest)) return;
    await this.#client.apply(manifest, { force: true, dryRun: true });
    record.rehearsed = manifest;
  }

  /** The object was deleted because it is no longer wanted. */
  forget(object: Named): void {
    const { unseen } = this.#recordOf(object);
    if (unseen && !isOverdue(unseen.at)) this.#records.set(keyOf(object), { unseen });
    else this.#records.delete(keyOf(object));
  }

  /**
   * Whether some write has not been shown yet. One that was undone at once never is, and the watch may have told of that
   * before it was looked for: so look again after WATCH_LAG_MS.
   */
  get mayBeUndone(): boolean {
    return this.#records.values().some(({ unseen }) => unseen && !isOverdue(unseen.at));
  }

  /** Whether nothing has to be written. */
  isCurrent(manifest: Manifest, live: Standing): boolean {
    const seen = live.get(keyOf(manifest));
    const record = this.#recordOf(manifest);
    if (isOlderThan(record, seen)) return true;
    record.unseen = undefined;
    if (!seen) return false;
    const { same } = record;
    if (same?.manifest === manifest && same.seen === seen) return true;
    if (hasDrifted(seen, manifest)) return false;
    record.same = { manifest, seen };
    return true;
  }

  #recordOf(object: Named): ObjectRecord {
    const key = keyOf(object);
    const record = this.#records.get(key) ?? {};
    this.#records.set(key, record);
    return record;
  }

  async #write(manifest: Manifest): Promise<RenderedObject> {
    this.#signal?.throwIfAborted();
    const applied = (await this.#client.apply(manifest, { force: true })) as RenderedObject;
    if (!hasDrifted(applied, manifest)) return applied;
    // Apply leaves what somebody else added: the object is ours alone, so it is replaced.
    const { resourceVersion } = applied.metadata;
    const whole = { ...manifest, metadata: { ...manifest.metadata, resourceVersion } };
    return (await this.#client.replace(whole)) as RenderedObject;
  }
}

/** Whether what the watch shows is older than our last write. */
function isOlderThan({ unseen }: ObjectRecord, seen: RenderedObject | undefined): boolean {
  if (!unseen || isOverdue(unseen.at)) return false;
  return seen === undefined || BigInt(seen.metadata.resourceVersion ?? 0) < unseen.version;
}

function isOverdue(at: number): boolean {
  return Date.now() - at >= WATCH_LAG_MS;
}
