/**
 * A cache of recently used values, by key. Objects are read in the order of namespaces and names, so equal values are
 * close together. A full cache drops all of its values, which keeps the cache small and costs only a few extra copies.
 */
export class Recent<Value> {
  readonly #values = new Map<string, Value>();
  readonly #most: number;

  constructor(most = 4_096) {
    this.#most = most;
  }

  /** The value with the given key; if the cache has no such value, the value that `make` returns. */
  get(key: string, make: (key: string) => Value): Value {
    const known = this.#values.get(key);
    if (known !== undefined) return known;
    if (this.#values.size >= this.#most) this.#values.clear();
    const value = make(key);
    this.#values.set(key, value);
    return value;
  }
}
