/**
 * Keeps results about the content of pods and templates while the content is in use. The cluster's projection has only
 * one copy of equal content, so the cache compares the identity of the objects.
 */
import type { PodContent, PodSpec } from '../model/objects.ts';

interface Entry<Found> {
  readonly annotations: PodContent['annotations'];
  readonly found: Found;
}

export class ByContent<Found> {
  readonly #entries = new WeakMap<PodSpec, Entry<Found>>();

  get({ annotations, spec }: PodContent): Found | undefined {
    const known = this.#entries.get(spec);
    return known?.annotations === annotations ? known.found : undefined;
  }

  /** @param content must be frozen, because a change of the content would make the cached result wrong */
  set({ annotations, spec }: PodContent, found: Found): void {
    this.#entries.set(spec, { annotations, found });
  }
}

/**
 * Keeps two kinds of results in separate caches. One cache is for content without defaulting, and the other cache is
 * for content after defaulting.
 */
export class ByForm<Found> {
  readonly #asIs = new ByContent<Found>();
  readonly #filled = new ByContent<Found>();

  of(filled: boolean): ByContent<Found> {
    return filled ? this.#filled : this.#asIs;
  }
}
