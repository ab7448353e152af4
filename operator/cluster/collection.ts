/** Keeps the last seen objects of one kind. The key of an object is its namespace and its name. */
import { isDeepStrictEqual } from 'node:util';
import { valuesByKey } from '../model/by-key.ts';
import { keyOf, type RawObject } from '../model/raw.ts';
import type { Sink } from './sink.ts';

interface CollectionOptions<View> {
  /** Returns the projection of an object. The result is undefined if the collection does not keep the object. */
  project(raw: RawObject): View | undefined;
  /**
   * The collection calls this function when the projection of an object has changed. `view` is the last known
   * projection. For a deleted object, `view` is the projection before the deletion.
   */
  changed(view: View, before?: View): void;
}

type Names<View> = Map<string, View>;

/** Keeps the objects of one kind. For cluster-scoped objects, the namespace in keys is `''`. */
export class Collection<View> implements Sink {
  readonly #options: CollectionOptions<View>;
  readonly #views = new Map<string, Names<View>>();
  /**
   * The views of each namespace, sorted by name. The key is the namespace. The collection caches each sorted list until
   * a view in the list changes.
   */
  readonly #sorted = new Map<string, readonly View[]>();
  /** The known objects that the current list has not contained so far. The collection is still reading this list. */
  #unseen = new Map<string, Set<string>>();
  readonly #synced = Promise.withResolvers<void>();

  constructor(options: CollectionOptions<View>) {
    this.#options = options;
  }

  /** Resolves when the first list has been read. */
  get synced(): Promise<void> {
    return this.#synced.promise;
  }

  get(namespace: string, name: string): View | undefined {
    return this.#views.get(namespace)?.get(name);
  }

  /** The views of a namespace, sorted by name. */
  in(namespace: string): readonly View[] {
    const known = this.#sorted.get(namespace);
    if (known) return known;
    const views = this.#views.get(namespace);
    if (!views) return [];
    const sorted = valuesByKey(views);
    this.#sorted.set(namespace, sorted);
    return sorted;
  }

  /** All views, sorted by namespace and then by name. */
  *all(): Generator<View> {
    for (const namespace of [...this.#views.keys()].sort()) yield* this.in(namespace);
  }

  listing(): void {
    this.#unseen = new Map([...this.#views].map(([namespace, views]) => [namespace, new Set(views.keys())]));
  }

  put(raw: RawObject): void {
    const [namespace, name] = keyOf(raw);
    this.#unseen.get(namespace)?.delete(name);
    const view = this.#options.project(raw);
    if (view === undefined) this.#drop(namespace, name);
    else this.#keep(namespace, name, view);
  }

  remove(raw: RawObject): void {
    this.#drop(...keyOf(raw));
  }

  listed(): void {
    for (const [namespace, names] of this.#unseen) {
      for (const name of names) this.#drop(namespace, name);
    }
    this.#unseen = new Map();
    this.#synced.resolve();
  }

  #keep(namespace: string, name: string, view: View): void {
    const before = this.get(namespace, name);
    if (isDeepStrictEqual(before, view)) return;
    const views = this.#views.get(namespace) ?? new Map<string, View>();
    this.#views.set(namespace, views.set(name, view));
    this.#sorted.delete(namespace);
    this.#options.changed(view, before);
  }

  #drop(namespace: string, name: string): void {
    const views = this.#views.get(namespace);
    const view = views?.get(name);
    if (!views || view === undefined) return;
    views.delete(name);
    if (views.size === 0) this.#views.delete(namespace);
    this.#sorted.delete(namespace);
    this.#options.changed(view);
  }
}
