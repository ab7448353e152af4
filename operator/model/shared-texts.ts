/** Keeps equal long texts once: the admission policies of hundreds of policies differ in a few short texts. */
import { Recent } from './recent.ts';

/** In UTF-16 units: a shorter text takes less memory than its entry here. */
const LONG = 128;

export class SharedTexts {
  readonly #texts = new Recent<string>();

  /** A copy of JSON in which each long text is the first one of its kind. */
  share<Value>(value: Value): Value {
    return this.#share(value) as Value;
  }

  #share(value: unknown): unknown {
    if (typeof value === 'string') return value.length < LONG ? value : this.#texts.get(value, (text) => text);
    if (Array.isArray(value)) return value.map((item) => this.#share(item));
    if (value === null || typeof value !== 'object') return value;
    // An annotation may be called `__proto__`: this makes it a field like any other.
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.#share(item)]));
  }
}
