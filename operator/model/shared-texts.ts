/**
 * Stores one copy of equal long strings. The admission policies for hundreds of CapabilityPolicies differ only in a few
 * short strings.
 */
import { Recent } from './recent.ts';

/**
 * The minimum length of a string to share, in UTF-16 units. A shorter string takes less memory than an entry in the
 * map.
 */
const LONG = 128;

export class SharedTexts {
  readonly #texts = new Recent<string>();

  /**
   * Returns a copy of the JSON value. If a long string equals a string of an earlier value, the copy uses the earlier
   * string.
   */
  share<Value>(value: Value): Value {
    return this.#share(value) as Value;
  }

  #share(value: unknown): unknown {
    if (typeof value === 'string') return value.length < LONG ? value : this.#texts.get(value, (text) => text);
    if (Array.isArray(value)) return value.map((item) => this.#share(item));
    if (value === null || typeof value !== 'object') return value;
    // Object.fromEntries turns even an annotation with the name `__proto__` into an ordinary field.
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.#share(item)]));
  }
}
