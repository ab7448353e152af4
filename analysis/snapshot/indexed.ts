/** Numbers distinct values. As a result, a document contains each distinct value only once. */
import type { PodContent } from '../../operator/model/objects.ts';
import { disclosed } from './disclosed.ts';

/** The distinct values, in the order of their first occurrence. */
export class Indexed<Item extends object | string> {
  readonly items: Item[] = [];
  readonly #keyOf: (item: Item) => string;
  readonly #indexes = new Map<string, number>();

  constructor(keyOf: (item: Item) => string) {
    this.#keyOf = keyOf;
  }

  index(item: Item): number {
    const key = this.#keyOf(item);
    const known = this.#indexes.get(key);
    if (known !== undefined) return known;
    this.#indexes.set(key, this.items.length);
    return this.items.push(item) - 1;
  }
}

/**
 * The distinct shapes. Each shape has only the content that a snapshot discloses. Copies of a pod mostly share one spec
 * object. Each spec object is processed only once.
 */
export class Shapes {
  readonly #indexed = new Indexed<PodContent>(({ annotations, spec }) => JSON.stringify([annotations, spec]));
  readonly #bySpec = new WeakMap<PodContent['spec'], Map<PodContent['annotations'], number>>();

  get items(): readonly PodContent[] {
    return this.#indexed.items;
  }

  index({ annotations, spec }: PodContent): number {
    const known = this.#bySpec.get(spec) ?? new Map<PodContent['annotations'], number>();
    this.#bySpec.set(spec, known);
    const index = known.get(annotations) ?? this.#indexed.index(disclosed({ annotations, spec }));
    known.set(annotations, index);
    return index;
  }
}
