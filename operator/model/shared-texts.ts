/**
 * Stores equal long texts only once. The admission policies of hundreds of policies differ only in a few short texts.
 */
import { Recent } from './recent.ts';

/** The shortest text to share, in UTF-16 units. A shorter text takes less memory than its entry in the map. */
const LONG = 128;

export class SharedTexts {
  readonly #texts = new Recent<string>();

  /** A copy of the JSON in which each long text is shared with equal texts that were seen before. */
  share<Value>(value: Value): Value {
    return this.#share(value) as Value;
  }

  #share(value: unknown): unknown {
    if (typeof value === 'string') return value.length < LONG ? value : this.#texts.get(value, (text) => text);
    if (Array.isArray(value)) return value.map((item) => this.#share(item));
    if (value === null || typeof value !== 'object') return value;
    // Object.fromEntries also makes an ordinary field of an annotation that is called `__proto__`.
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.#share(item)]));
  }
}
