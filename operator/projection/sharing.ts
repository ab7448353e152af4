/** Keeps one copy of equal values of many objects. Most pods of a cluster are copies of a few templates. */
import { hash } from 'node:crypto';
import { frozen } from '../model/frozen.ts';
import type { PodContent, PodSpec } from '../model/objects.ts';
import { withoutNulls } from '../model/raw.ts';

/** Keeps the content of pods and templates. */
export interface Pool {
  /** The number of distinct contents in use. */
  readonly size: number;
  /** @param copy makes the copy of new content that is kept */
  share(content: PodContent, copy: (text: string) => PodContent): PodContent;
}

/**
 * A pool that shares nothing. This pool is for callers that use each object once and then drop the object. If an object
 * is used once, a search for equal content would cost more than the evaluation of the object.
 */
export const UNSHARED: Pool = { size: 0, share: (content) => withoutNulls(content) as PodContent };

/**
 * Keeps the content of pods and templates as long as some view refers to the content. The key is the fingerprint of the
 * content.
 */
export class ContentPool implements Pool {
  readonly #known = new Map<string, WeakRef<PodSpec>>();
  /**
   * The content of pods and templates. The key is the spec of the content, because a view refers to the spec and not to
   * the whole content.
   */
  readonly #content = new WeakMap<PodSpec, PodContent>();
  readonly #unused = new FinalizationRegistry<string>((fingerprint) => {
    // A new copy of this content may already exist.
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
   * equal if their JSON is equal. The pool keeps equal specs with different annotations as two objects. So the object
   * of a spec identifies the annotations that belong to the spec.
   *
   * @param copy makes the copy of new content that is kept
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
