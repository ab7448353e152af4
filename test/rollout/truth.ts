/**
 * The facts that the clients of a campaign know for certain: the times at which each namespace had a violating pod or
 * template.
 */

export interface Violation {
  /** The violating object. */
  readonly what: string;
  /** Milliseconds since the epoch. From the API server's answer to the write … */
  readonly from: number;
  /** … until the request that ends the violation was sent; infinite while it lasts. */
  until: number;
}

export class Truth {
  readonly #violations = new Map<string, Violation[]>();

  /** Call it when the API server has answered. @returns a function to call before the request that ends it is sent */
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
