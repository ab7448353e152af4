/** Memoizes pure functions, so that the same input costs nothing. */

/** Kept as long as every round asks for them again. */
export class Memo<Result> {
  #before = new Map<string, Result>();
  #now = new Map<string, Result>();

  get(key: string, make: () => Result): Result {
    const known = this.#now.get(key) ?? this.#before.get(key) ?? make();
    this.#now.set(key, known);
    return known;
  }

  /** Ends a round. */
  forgetUnused(): void {
    this.#before = this.#now;
    this.#now = new Map();
  }
}

/** Kept as long as the object lives, which must not change. */
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

/** The same for the objects of a list, in its order: kept as long as all of them live. */
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

/** A list, and all that begin with it. */
class Beginning<Item extends object, Result> {
  /** The result for the list that ends here. */
  known: { readonly result: Result } | undefined;
  #longer: ((item: Item) => Beginning<Item, Result>) | undefined;

  with(item: Item): Beginning<Item, Result> {
    this.#longer ??= perObject(() => new Beginning());
    return this.#longer(item);
  }
}

let last = 0;
/** A unique number for each object: equal lists of numbers are equal lists of objects. */
export const idOf: (object: object) => number = perObject(() => ++last);
