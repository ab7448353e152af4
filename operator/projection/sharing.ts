/** Keeps one copy of equal values of many objects. Most pods of a cluster are copies of a few templates. */
import { hash } from 'node:crypto';
import { frozen } from '../model/frozen.ts';
import type { PodContent, PodSpec } from '../model/objects.ts';
import { withoutNulls } from '../model/raw.ts';

/** Keeps the content of pods and templates. */
export interface Pool {
  /** The number of distinct contents in use. */
  readonly size: number;
  /** @param copy a function that copies new content for the pool */
  share(content: PodContent, copy: (text: string) => PodContent): PodContent;
}

/**
 * A pool that shares nothing. This pool is for callers that use each object once. A search for equal content would cost
 * more than the single evaluation of an object.
 */
export const UNSHARED: Pool = { size: 0, share: (content) => withoutNulls(content) as PodContent };

/**
 * Keeps the content of pods and templates as long as some view refers to the content. The key is the fingerprint of the
 * content.
 */
export class ContentPool implements Pool {
  readonly #known = new Map<string, WeakRef<PodSpec>>();
  /**
   * The content of pods and templates. The key is the content's spec, because the view of an object refers to the spec
   * and not to the whole content.
   */
  readonly #content = new WeakMap<PodSpec, PodContent>();
  readonly #unused = new FinalizationRegistry<string>((fingerprint) => {
    // The pool may already have a new copy of this content.
    if (!this.#known.get(fingerprint)?.deref()) this.#known.delete(fingerprint);
  });

  /**
   * The number of distinct contents. The number may include unused contents that the garbage collector has not
   * collected yet.
   */
  get size(): number {
    return this.#known.size;
  }

  /**
   * Returns the single frozen copy of this content. The copy contains no reference to the argument. Two contents are
   * equal if their JSON is equal. If two contents have equal specs and different annotations, the pool keeps two spec
   * objects. So each spec object belongs to exactly one set of annotations.
   *
   * @param copy a function that copies new content for the pool
   */
  share(content: PodContent, copy: (text: string) => PodContent): PodContent {
    const text = JSON.stringify(content);
    // Do not shorten or weaken the hash. The author of a pod must not be able to give the pod the fingerprint of
    // another pod.
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
