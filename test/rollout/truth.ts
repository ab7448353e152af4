/** A period in which a namespace had a violating pod or template. The clients of a campaign know the exact periods. */

export interface Violation {
  /** The violating object. */
  readonly what: string;
  /**
   * The time at which the API server answered the write of the violating object. The unit is milliseconds since the
   * epoch.
   */
  readonly from: number;
  /**
   * The time at which a client sent the request that ends the violation. While the violation lasts, `until` is
   * infinite.
   */
  until: number;
}

export class Truth {
  readonly #violations = new Map<string, Violation[]>();

  /**
   * Records that a violation began. The caller must call this function after the API server's answer.
   * @returns a function. The caller must call the returned function before sending the request that ends the violation.
   */
  begins(namespace: string, what: string): () => void {
    const violation: Violation = { what, from: Date.now(), until: Number.POSITIVE_INFINITY };
    const known = this.#violations.get(namespace) ?? [];
    known.push(violation);
    this.#violations.set(namespace, known);
    return () => {
      violation.until = Date.now();
    };
  }

  of(namespace: string): readonly Violation[] {
    return this.#violations.get(namespace) ?? [];
  }

  get size(): number {
    return [...this.#violations.values()].reduce((sum, all) => sum + all.length, 0);
  }
}
