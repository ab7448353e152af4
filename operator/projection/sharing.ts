/** Keeps equal values of many objects once: most pods of a cluster are copies of a few templates. */
import { hash } from 'node:crypto';
import { frozen } from '../model/frozen.ts';
import type { PodContent, PodSpec } from '../model/objects.ts';
import { withoutNulls } from '../model/raw.ts';

/** The content of pods and templates that is kept. */
export interface Pool {
  /** How many distinct contents are in use. */
  readonly size: number;
  /** @param copy makes the copy of new content that is kept */
  share(content: PodContent, copy: (text: string) => PodContent): PodContent;
}

/**
 * A pool that shares nothing, for callers that use each object once and drop it. For callers that use an object only
 * once, finding equal content would cost more than evaluating the object.
 */
export const UNSHARED: Pool = { size: 0, share: (content) => withoutNulls(content) as PodContent };

/** The content of pods and templates, by fingerprint, for as long as some view holds them. */
export class ContentPool implements Pool {
  readonly #known = new Map<string, WeakRef<PodSpec>>();
  /** The content by its spec, because a view refers only to the spec of its content. */
  readonly #content = new WeakMap<PodSpec, PodContent>();
  readonly #unused = new FinalizationRegistry<string>((fingerprint) => {
    // A new copy of the same content may already exist.
    if (!this.#known.get(fingerprint)?.deref()) this.#known.delete(fingerprint);
  });

  /** The number of distinct contents in use, including some that the garbage collector has not collected yet. */
  get size(): number {
    return this.#known.size;
  }

  /**
   * Returns the single frozen copy of this content. The copy contains no reference to the argument. Two contents are equal
   * if they are equal as JSON. Equal specs with different annotations are kept as two objects, so that the object of a
   * spec identifies the annotations as well.
   *
   * @param copy makes the copy of new content that is kept
   */
  share(content: PodContent, copy: (text: string) => PodContent): PodContent {
    const text = JSON.stringify(content);
    // Do not shorten or weaken the hash: the author of a pod must not be able to make it look like another pod.
    const fingerprint = hash('sha256', text, 'base64');
    const spec = this.#known.get(fingerprint)?.deref();
    const known = spec && this.#content.get(spec);
    if (known) return known;
    const own = frozen(copy(text));
    this.#known.set(fingerprint, new WeakRef(own.spec));
    this.#content.set(own.spec, own);
    this.#unused.register(own.spec, fingerprint);
    return own;
  }
}
