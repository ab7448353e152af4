/** Writes rendered objects where they are missing or have drifted. */
import type { ApiClient } from '../cluster/client.ts';
import type { RenderedObject } from '../cluster/objects.ts';
import type { Manifest } from '../compile/objects.ts';
import { hasDrifted } from './drift.ts';
import { keyOf, type Standing } from './standing.ts';

export interface WrittenObject {
  readonly kind: string;
  readonly name: string;
  readonly policy: string;
}

/** Told of each object that was written or deleted. Repaired: it said, or was, something else than we last wrote. */
export type OnWrite = (action: 'created' | 'updated' | 'repaired' | 'deleted', object: WrittenObject) => void;

/** The watch shows our own writes well within this; if not, somebody undid them first. To write again does no harm. */
export const WATCH_LAG_MS = 1_500;

export class Writes {
  readonly #client: ApiClient;
  readonly #onWrite: OnWrite;
  /** Our writes that the watch has not shown yet: until it does, what it shows is older. */
  readonly #unseen = new Map<string, { readonly version: bigint; readonly at: number }>();
  /** What we last wrote, as JSON: whether somebody else changed an object, or we want it otherwise. */
  readonly #written = new Map<string, { readonly text: string; readonly version: bigint }>();
  /** What a dry run took, as JSON. */
  readonly #rehearsed = new Map<string, string>();

  constructor(client: ApiClient, onWrite: OnWrite) {
    this.#client = client;
    this.#onWrite = onWrite;
  }

  /** @returns whether anything had to be changed */
  async ensure(policy: string, manifest: Manifest, live: Standing): Promise<boolean> {
    if (this.isCurrent(manifest, live)) return false;
    const before = live.get(keyOf(manifest));
    const after = await this.#write(manifest);
    const key = keyOf(manifest);
    const written = { text: JSON.stringify(manifest), version: BigInt(after.metadata.resourceVersion ?? 0) };
    this.#unseen.set(key, { version: written.version, at: Date.now() });
    const last = this.#written.get(key);
    this.#written.set(key, written);
    const again = last?.text === written.text;
    // Nobody undid it: it is the watch that is behind.
    if (again && last.version === written.version) return false;
    const { kind, metadata } = manifest;
    this.#onWrite(again ? 'repaired' : before ? 'updated' : 'created', { kind, name: metadata.name, policy });
    return true;
  }

  /** @throws what the API server would say to `ensure`, which is asked once for each text */
  async rehearse(manifest: Manifest, live: Standing): Promise<void> {
    if (this.isCurrent(manifest, live)) return;
    const [key, text] = [keyOf(manifest), JSON.stringify(manifest)];
    if (this.#rehearsed.get(key) === text) return;
    await this.#client.apply(manifest, { force: true, dryRun: true });
    this.#rehearsed.set(key, text);
  }

  /** The object was deleted because it is no longer wanted. */
  forget(object: { readonly kind: string; readonly metadata: { readonly name: string } }): void {
    this.#written.delete(keyOf(object));
    this.#rehearsed.delete(keyOf(object));
  }

  /**
   * Whether some write has not been shown yet. One that was undone at once never is, and the watch may have told of that
   * before it was looked for: so look again after WATCH_LAG_MS.
   */
  get mayBeUndone(): boolean {
    for (const [key, { at }] of this.#unseen) if (isOverdue(at)) this.#unseen.delete(key);
    return this.#unseen.size > 0;
  }

  /** Whether nothing has to be written. */
  isCurrent(manifest: Manifest, live: Standing): boolean {
    const seen = live.get(keyOf(manifest));
    return this.#isOlderThanOurs(manifest, seen) || (seen !== undefined && !hasDrifted(seen, manifest));
  }

  async #write(manifest: Manifest): Promise<RenderedObject> {
    const applied = (await this.#client.apply(manifest, { force: true })) as RenderedObject;
    if (!hasDrifted(applied, manifest)) return applied;
    // Apply leaves what somebody else added: the object is ours alone, so it is replaced.
    const { resourceVersion } = applied.metadata;
    const whole = { ...manifest, metadata: { ...manifest.metadata, resourceVersion } };
    return (await this.#client.replace(whole)) as RenderedObject;
  }

  #isOlderThanOurs(manifest: Manifest, seen: RenderedObject | undefined): boolean {
    const key = keyOf(manifest);
    const ours = this.#unseen.get(key);
    if (!ours) return false;
    const shown = seen !== undefined && BigInt(seen.metadata.resourceVersion ?? 0) >= ours.version;
    if (!shown && !isOverdue(ours.at)) return true;
    this.#unseen.delete(key);
    return false;
  }
}

function isOverdue(at: number): boolean {
  return Date.now() - at >= WATCH_LAG_MS;
}
