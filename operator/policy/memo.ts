/** Memoizes pure functions, so that the result for an input is computed once. */

/**
 * Keeps results. Callers request results in rounds. At the end of a round, the class forgets the results that no caller
 * requested in this round.
 */
export class Memo<Result> {
  #before = new Map<string, Result>();
  #now = new Map<string, Result>();

  get(key: string, make: () => Result): Result {
    const known = this.#now.get(key) ?? this.#before.get(key) ?? make();
    this.#now.set(key, known);
    return known;
  }

  /** Ends a round, and forgets the results that no caller requested in this round. */
  forgetUnused(): void {
    this.#before = this.#now;
    this.#now = new Map();
  }
}

/** Caches one result for each object, as long as the object exists. The object must not change. */
export function perObject<Key extends object, Result>(make: (key: Key) => Result): (key: Key) => Result {
  const known = new WeakMap<Key, { readonly result: Result }>();
  return (key) => {
    const before = known.get(key);
    if (before) return before.result;
    const result = make(key);
    known.set(key, { result });
    return result;
  };
}

/**
 * Caches one result for each list of objects, as long as all of the objects exist. Lists are equal if they have the
 * same objects in the same order.
 */
export function perList<Item extends object, Result>(
  make: (list: readonly Item[]) => Result,
): (list: readonly Item[]) => Result {
  const empty = new Beginning<Item, Result>();
  return (list) => {
    let beginning = empty;
    for (const item of list) beginning = beginning.with(item);
    beginning.known ??= { result: make(list) };
    return beginning.known.result;
  };
}

/** The beginning of a list. Lists that begin with the same objects share one object of this class. */
class Beginning<Item extends object, Result> {
  /** The result for the list that consists only of this beginning. */
  known: { readonly result: Result } | undefined;
  #longer: ((item: Item) => Beginning<Item, Result>) | undefined;

  with(item: Item): Beginning<Item, Result> {
    this.#longer ??= perObject(() => new Beginning());
    return this.#longer(item);
  }
}

let last = 0;
/**
 * A unique number for each object. If two lists give the same sequence of numbers, the lists contain the same objects.
 */
export const idOf: (object: object) => number = perObject(() => ++last);
