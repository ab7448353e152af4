/**
 * A cache of recently used values, by key. Objects arrive in the order of namespaces and names, so equal values are
 * close together. When the cache is full, it drops all values. This keeps it small and costs a few extra copies.
 */
export class Recent<Value> {
  readonly #values = new Map<string, Value>();
  readonly #most: number;

  constructor(most = 4_096) {
    this.#most = most;
  }

  /** The value with this key; if there is none, the value that `make` returns. */
  get(key: string, make: (key: string) => Value): Value {
    const known = this.#values.get(key);
    if (known !== undefined) return known;
    if (this.#values.size >= this.#most) this.#values.clear();
    const value = make(key);
    this.#values.set(key, value);
    return value;
  }
}
