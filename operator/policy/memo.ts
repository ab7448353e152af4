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
    const entry = known.get(key) ?? { result: make(key) };
    known.set(key, entry);
    return entry.result;
  };
}

let last = 0;
/** A unique number for each object: equal lists of numbers are equal lists of objects. */
export const idOf: (object: object) => number = perObject(() => ++last);
