/**
 * A cache of recently used values. Objects are read in the order of namespaces and names. So objects with equal values
 * are read at about the same time. A full cache drops all of its values. Dropping all values keeps the cache small, and
 * costs callers a few extra copies.
 */
export class Recent<Value> {
  readonly #values = new Map<string, Value>();
  readonly #most: number;

  constructor(most = 4_096) {
    this.#most = most;
  }

  /**
   * Returns the value with the given key. If the cache has no such value, the method returns the value that `make`
   * makes.
   */
  get(key: string, make: (key: string) => Value): Value {
    const known = this.#values.get(key);
    if (known !== undefined) return known;
    if (this.#values.size >= this.#most) this.#values.clear();
    const value = make(key);
    this.#values.set(key, value);
    return value;
  }
}
