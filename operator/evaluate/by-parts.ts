/**
 * Keeps results about the parts of pods and templates, as long as the parts are in use. Parts are compared by identity,
 * because the cluster's projection keeps equal parts once.
 */
import type { PodParts, PodSpec } from '../model/objects.ts';

interface Entry<Found> {
  readonly annotations: PodParts['annotations'];
  readonly found: Found;
}

export class ByParts<Found> {
  readonly #entries = new WeakMap<PodSpec, Entry<Found>>();

  get({ annotations, spec }: PodParts): Found | undefined {
    const known = this.#entries.get(spec);
    return known?.annotations === annotations ? known.found : undefined;
  }

  /** @param parts frozen parts, because a change of the parts would make the result wrong */
  set({ annotations, spec }: PodParts, found: Found): void {
    this.#entries.set(spec, { annotations, found });
  }
}
