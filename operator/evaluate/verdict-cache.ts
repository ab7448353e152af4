/**
 * What was found of a pod's parts by a policy's checks: found once, and known for as long as both live.
 *
 * A policy that is resolved again, because another one changed, comes with new checks of the same text: their text
 * decides. Of parts it is identity that decides, since the cluster's projection keeps equal ones once.
 */
import type { PodParts, PodSpec } from '../cluster/objects.ts';
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
    // Meanwhile there may be new ones.
    if (!this.#byText.get(text)?.deref()) this.#byText.delete(text);
  });

  /** Of how many texts verdicts are kept, give or take what the garbage collector has not seen yet. */
  get texts(): number {
    return this.#byText.size;
  }

  /** What is known; else what `find` returns, which is kept if the parts are frozen and so can't change. */
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
