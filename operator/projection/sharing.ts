/** Keeps equal values of many objects once: most pods of a cluster are copies of a few templates. */
import { hash } from 'node:crypto';
import { frozen } from '../model/frozen.ts';
import type { PodParts, PodSpec } from '../model/objects.ts';
import { withoutNulls } from '../model/raw.ts';

/** The parts of an object that are kept. */
export interface Pool {
  /** How many distinct parts are in use. */
  readonly size: number;
  /** @param copy makes the kept copy of new parts */
  share(parts: PodParts, copy: (text: string) => PodParts): PodParts;
}

/**
 * A pool that shares nothing, for callers that use each object once and drop it. To find equal parts would cost such
 * callers more than evaluating the object.
 */
export const UNSHARED: Pool = { size: 0, share: (parts) => withoutNulls(parts) as PodParts };

/** The parts of pods and templates, by fingerprint, for as long as some view holds them. */
export class PartsPool implements Pool {
  readonly #known = new Map<string, WeakRef<PodSpec>>();
  /** The parts, by spec, because views hold only the spec. */
  readonly #parts = new WeakMap<PodSpec, PodParts>();
  readonly #unused = new FinalizationRegistry<string>((fingerprint) => {
    // Meanwhile, a new copy of the same parts may exist.
    if (!this.#known.get(fingerprint)?.deref()) this.#known.delete(fingerprint);
  });

  /** The number of distinct parts in use, including some that the garbage collector has not collected yet. */
  get size(): number {
    return this.#known.size;
  }

  /**
   * The single frozen copy of these parts; it keeps no reference to `parts` itself. Parts are equal if their JSON texts
   * are equal. Equal specs with different annotations are kept as two specs, so a spec identifies all parts.
   *
   * @param copy makes the kept copy of new parts
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
