/**
 * The results of a policy's checks for a pod's parts. Each result is computed once, and kept as long as the objects of
 * the policy's checks and of the parts exist.
 *
 * When some policy changes, an unchanged policy may be resolved again and get new check objects with the same content.
 * Therefore, results are also found by the content of the checks, as JSON.
 */
import type { PodParts } from '../model/objects.ts';
import type { RuleChecks } from '../policy/resolve.ts';
import { ByParts } from './by-parts.ts';

export class VerdictCache<Found> {
  readonly #byChecks = new WeakMap<readonly RuleChecks[], ByParts<Found>>();
  readonly #byText = new Map<string, WeakRef<ByParts<Found>>>();
  readonly #unused = new FinalizationRegistry<string>((text) => {
    // The same checks may already have a new cache.
    if (!this.#byText.get(text)?.deref()) this.#byText.delete(text);
  });

  /**
   * The number of different checks with cached verdicts, including some that the garbage collector has not collected
   * yet.
   */
  get texts(): number {
    return this.#byText.size;
  }

  /** The cached result. If there is none, `find` computes the result, which is cached if the parts cannot change. */
  get(parts: PodParts, checks: readonly RuleChecks[], find: () => Found): Found {
    if (!Object.isFrozen(parts.spec)) return find();
    const byParts = this.#byPartsOf(checks);
    const known = byParts.get(parts);
    if (known !== undefined) return known;
    const found = find();
    byParts.set(parts, found);
    return found;
  }

  #byPartsOf(checks: readonly RuleChecks[]): ByParts<Found> {
    const known = this.#byChecks.get(checks);
    if (known) return known;
    const text = JSON.stringify(checks);
    const byParts = this.#byText.get(text)?.deref() ?? this.#begin(text);
    this.#byChecks.set(checks, byParts);
    return byParts;
  }

  #begin(text: string): ByParts<Found> {
    const byParts = new ByParts<Found>();
    this.#byText.set(text, new WeakRef(byParts));
    this.#unused.register(byParts, text);
    return byParts;
  }
}
