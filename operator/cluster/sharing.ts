/** Equal values of many objects kept once: most pods of a cluster are copies of a few templates. */
import { hash } from 'node:crypto';
import type { PodParts, PodSpec } from './objects.ts';
import { withoutNulls } from './raw.ts';

/** What parts of an object are kept. */
export interface Pool {
  /** How many distinct parts are in use. */
  readonly size: number;
  /** @param copy makes what is kept of parts that are new */
  share(parts: PodParts, copy: (text: string) => PodParts): PodParts;
}

/** For whoever looks at each object once, and lets it go: to find equal ones would cost more than to judge them. */
export const UNSHARED: Pool = { size: 0, share: (parts) => withoutNulls(parts) as PodParts };

/** The parts of pods and templates, by fingerprint, for as long as some view holds them. */
export class PartsPool implements Pool {
  readonly #known = new Map<string, WeakRef<PodSpec>>();
  /** By spec: that is what views hold. */
  readonly #parts = new WeakMap<PodSpec, PodParts>();
  readonly #unused = new FinalizationRegistry<string>((fingerprint) => {
    // Meanwhile there may be a new one.
    if (!this.#known.get(fingerprint)?.deref()) this.#known.delete(fingerprint);
  });

  /** How many distinct parts are in use, give or take what the garbage collector has not seen yet. */
  get size(): number {
    return this.#known.size;
  }

  /**
   * The one frozen copy of these parts; nothing of `parts` itself is kept. Two are equal when their JSON texts are, and
   * equal specs with other annotations are two specs: whoever holds a spec knows all of it.
   *
   * @param copy makes what is kept of parts that are new
   */
  share(parts: PodParts, copy: (text: string) => PodParts): PodParts {
    const text = JSON.stringify(parts);
    // Whoever makes a pod must not be able to pass it off as another: no shorter, no weaker hash.
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

/**
 * Values met lately, by key. Objects come in the order of namespaces and names, so that what two have in common is
 * never long ago: forgetting all now and then costs a few copies and keeps it small.
 */
export class Recent<Value> {
  readonly #values = new Map<string, Value>();
  readonly #most: number;

  constructor(most = 4_096) {
    this.#most = most;
  }

  /** The value known by this key, else what `make` returns. */
  get(key: string, make: (key: string) => Value): Value {
    const known = this.#values.get(key);
    if (known !== undefined) return known;
    if (this.#values.size >= this.#most) this.#values.clear();
    const value = make(key);
    this.#values.set(key, value);
    return value;
  }
}

function frozen<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value;
  for (const key of Object.keys(value)) frozen(value[key as keyof Value]);
  return Object.freeze(value);
}
