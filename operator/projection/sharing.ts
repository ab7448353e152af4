/** Keeps equal values of many objects once: most pods of a cluster are copies of a few templates. */
import { hash } from 'node:crypto';
import { frozen } from '../model/frozen.ts';
import type { PodParts, PodSpec } from '../model/objects.ts';
import { withoutNulls } from '../model/raw.ts';

/** The parts of an object that are kept. */
export interface Pool {
  /** How many distinct parts are in use. */
  readonly size: number;
  /** @param copy makes the copy of new parts that is kept */
  share(parts: PodParts, copy: (text: string) => PodParts): PodParts;
}

/**
 * A pool that shares nothing, for callers that use each object once and drop it. For callers that use an object only
 * once, finding equal parts would cost more than evaluating the object.
 */
export const UNSHARED: Pool = { size: 0, share: (parts) => withoutNulls(parts) as PodParts };

/** The parts of pods and templates, by fingerprint, for as long as some view holds them. */
export class PartsPool implements Pool {
  readonly #known = new Map<string, WeakRef<PodSpec>>();
  /** The parts, by their spec, because a view refers only to the spec of its parts. */
  readonly #parts = new WeakMap<PodSpec, PodParts>();
  readonly #unused = new FinalizationRegistry<string>((fingerprint) => {
    // A new copy of the same parts may already exist.
    if (!this.#known.get(fingerprint)?.deref()) this.#known.delete(fingerprint);
  });

  /** The number of distinct parts in use, including some that the garbage collector has not collected yet. */
  get size(): number {
    return this.#known.size;
  }

  /**
   * Returns the single frozen copy of these parts. The copy contains no reference to the argument. Two parts are equal
   * if they are equal as JSON. Equal specs with different annotations are kept as two objects, so that the object of a
   * spec identifies the annotations as well.
   *
   * @param copy makes the copy of new parts that is kept
   */
  share(parts: PodParts, copy: (text: string) => PodParts): PodParts {
    const text = JSON.stringify(parts);
    // Do not shorten or weaken the hash: the author of a pod must not be able to make it look like another pod.
    const fingerprint = hash('sha256', text, 'base64');
    const spec = this.#known.get(fingerprint)?.deref();
    const known = spec && this.#parts.get(spec);
    if (known) return known;
    const own = frozen(copy(text));
    this.#known.set(fingerprint, new WeakRef(own.spec));
    this.#parts.set(own.spec, own);
    this.#unused.register(own.spec, fingerprint);
    return own;
  }
}
