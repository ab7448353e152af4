/**
 * Caches the results of a policy's checks for a pod's content. Each result is computed once. The cache keeps the result
 * as long as two things are in memory: the checks of the policy, and the content of the pod.
 *
 * When another policy changes, the operator may resolve an unchanged policy again. The unchanged policy then gets new
 * check objects with equal content. The cache therefore also finds results by the JSON of the checks.
 */
import type { PodContent } from '../model/objects.ts';
import type { RuleChecks } from '../policy/resolve.ts';
import { ByContent } from './by-content.ts';

export class VerdictCache<Found> {
  readonly #byChecks = new WeakMap<readonly RuleChecks[], ByContent<Found>>();
  readonly #byText = new Map<string, WeakRef<ByContent<Found>>>();
  readonly #unused = new FinalizationRegistry<string>((text) => {
    // The map may already have a new cache for equal checks, under the same JSON.
    if (!this.#byText.get(text)?.deref()) this.#byText.delete(text);
  });

  /**
   * The number of different checks with cached verdicts. The number includes checks that the garbage collector has not
   * collected yet.
   */
  get texts(): number {
    return this.#byText.size;
  }

  /**
   * Returns the cached result. If there is no cached result, `find` computes the result. The method caches the new
   * result if the content cannot change.
   */
  get(content: PodContent, checks: readonly RuleChecks[], find: () => Found): Found {
    if (!Object.isFrozen(content.spec)) return find();
    const byContent = this.#byContentOf(checks);
    const known = byContent.get(content);
    if (known !== undefined) return known;
    const found = find();
    byContent.set(content, found);
    return found;
  }

  #byContentOf(checks: readonly RuleChecks[]): ByContent<Found> {
    const known = this.#byChecks.get(checks);
    if (known) return known;
    const text = JSON.stringify(checks);
    const byContent = this.#byText.get(text)?.deref() ?? this.#begin(text);
    this.#byChecks.set(checks, byContent);
    return byContent;
  }

  #begin(text: string): ByContent<Found> {
    const byContent = new ByContent<Found>();
    this.#byText.set(text, new WeakRef(byContent));
    this.#unused.register(byContent, text);
    return byContent;
  }
}
