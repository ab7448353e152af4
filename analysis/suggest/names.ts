const LONGEST_NAME = 63;

/** Makes valid, unique policy names. */
export class Names {
  readonly #used: Set<string>;

  /** @param taken names that must not be used */
  constructor(taken: Iterable<string> = []) {
    this.#used = new Set(taken);
  }

  unique(wanted: string): string {
    const valid = wanted.toLowerCase().replace(/[^a-z0-9.-]+/g, '-');
    for (let count = 1; ; count += 1) {
      const suffix = count === 1 ? '' : `-${count}`;
      const name = `${valid.slice(0, LONGEST_NAME - suffix.length).replace(/[.-]+$/, '')}${suffix}`;
      if (!this.#used.has(name)) {
        this.#used.add(name);
        return name;
      }
    }
  }
}
