/**
 * The results of a policy's checks for a pod's parts: computed once, and kept as long as both live.
 *
 * If another policy changes, this one is resolved again and gets new checks with the same text, so results are found by
 * text. Parts are compared by identity, since the cluster's projection keeps equal ones once.
 */
import type { PodParts, PodSpec } from '../model/objects.ts';
import type { RuleChecks } from '../policy/resolve.ts';

interface Entry<Found> {
  readonly annotations: PodParts['annotations'];
  readonly found: Found;
}

type Entries<Found> = WeakMap<PodSpec, Entry<Found>>;

export class VerdictCache<Found> {
  readonly #byChecks = new WeakMap<readonly RuleChecks[], Entries<Found>>();
  readonly #byText = new Map<string, WeakRef<Entries<Found>>>();
  readonly #unused = new FinalizationRegistry<string>((text) => {
    // There may be new ones meanwhile.
    if (!this.#byText.get(text)?.deref()) this.#byText.delete(text);
  });

  /** The number of texts with kept verdicts, including some that the garbage collector has not collected yet. */
  get texts(): number {
    return this.#byText.size;
  }

  /** The cached result; else what `find` returns, which is cached if the parts are frozen and so can't change. */
  get(parts: PodParts, checks: readonly RuleChecks[], find: () => Found): Found {
    if (!Object.isFrozen(parts.spec)) return find();
    const entries = this.#entries(checks);
    const known = entries.get(parts.spec);
    if (known?.annotations === parts.annotations) return known.found;
    const found = find();
    entries.set(parts.spec, { annotations: parts.annotations, found });
    return found;
  }

  #entries(checks: readonly RuleChecks[]): Entries<Found> {
    const known = this.#byChecks.get(checks);
    if (known) return known;
    const text = JSON.stringify(checks);
    const entries = this.#byText.get(text)?.deref() ?? this.#begin(text);
    this.#byChecks.set(checks, entries);
    return entries;
  }

  #begin(text: string): Entries<Found> {
    const entries: Entries<Found> = new WeakMap();
    this.#byText.set(text, new WeakRef(entries));
    this.#unused.register(entries, text);
    return entries;
  }
}
