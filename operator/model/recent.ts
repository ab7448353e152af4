/**
 * Recently used values, by key. Objects arrive in the order of namespaces and names, so that equal values are close
 * together: dropping all of them now and then costs a few copies and keeps the map small.
 */
export class Recent<Value> {
  readonly #values = new Map<string, Value>();
  readonly #most: number;

  constructor(most = 4_096) {
    this.#most = most;
  }

  /** The value with this key, or else what `make` returns. */
  get(key: string, make: (key: string) => Value): Value {
    const known = this.#values.get(key);
    if (known !== undefined) return known;
    if (this.#values.size >= this.#most) this.#values.clear();
    const value = make(key);
    this.#values.set(key, value);
    return value;
  }
}
