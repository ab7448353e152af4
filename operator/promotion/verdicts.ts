/** The verdicts about promotions, and when something violated in a pending namespace. */
import type { PromotionVerdict } from '../evaluate/promotion.ts';
import type { UseIndex } from '../evaluate/use.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';

/** A verdict depends on these and on the objects in the namespace. */
export interface EvaluatedBy {
  /** All policies that select the namespace: the same list until one of them changes. */
  readonly policies: readonly ResolvedPolicy[];
  /** The same until a right to use a policy changes. */
  readonly use: UseIndex;
}

interface Evaluated extends EvaluatedBy {
  /** By policy. */
  readonly verdicts: ReadonlyMap<string, PromotionVerdict>;
}

interface LastViolation {
  /** In milliseconds since 1970. */
  readonly at?: number;
  /** Whether something violated in the last evaluation, and may do so still. */
  readonly lasts: boolean;
}

export class PromotionVerdicts {
  /** By namespace. */
  readonly #evaluated = new Map<string, Evaluated>();
  /**
   * By namespace and policy. Kept when a policy is edited and when a term ends: the controller of promotions may not have
   * seen it, and a pod that violated and is gone counts.
   */
  readonly #violations = new Map<string, ReadonlyMap<string, LastViolation>>();

  /** @param now in milliseconds since 1970 */
  set(namespace: string, evaluated: Evaluated, now: number): void {
    if (evaluated.verdicts.size === 0) {
      this.forget(namespace);
      return;
    }
    const before = this.#violations.get(namespace);
    const after = [...evaluated.verdicts].map(([policy, verdict]): [string, LastViolation] => [
      policy,
      lastViolation(verdict, before?.get(policy), now),
    ]);
    this.#evaluated.set(namespace, evaluated);
    this.#violations.set(namespace, new Map(after));
  }

  /** @returns undefined if it was not evaluated by the policies and rights that hold now */
  get(namespace: string, policy: string, { policies, use }: EvaluatedBy): PromotionVerdict | undefined {
    const evaluated = this.#evaluated.get(namespace);
    const verdict = evaluated?.verdicts.get(policy);
    if (!evaluated || !verdict || evaluated.policies !== policies) return undefined;
    if (evaluated.use !== use && policies.some(({ usableBy }) => usableBy !== 'Everyone')) return undefined;
    const violatedAt = this.#violations.get(namespace)?.get(policy)?.at;
    return violatedAt === undefined ? verdict : { ...verdict, violatedAt };
  }

  /** The policies that were pending there in the last evaluation. */
  policiesIn(namespace: string): Iterable<string> {
    return this.#evaluated.get(namespace)?.verdicts.keys() ?? [];
  }

  forget(namespace: string): void {
    this.#evaluated.delete(namespace);
    this.#violations.delete(namespace);
  }

  /** Something that violates then may be repaired while another process leads. */
  endTerm(now: number): void {
    this.#evaluated.clear();
    for (const [namespace, ofPolicies] of this.#violations) {
      const ended = [...ofPolicies].map(
        ([policy, one]) => [policy, one.lasts ? { at: now, lasts: false } : one] as const,
      );
      this.#violations.set(namespace, new Map(ended));
    }
  }
}

function lastViolation(verdict: PromotionVerdict, before: LastViolation | undefined, now: number): LastViolation {
  const lasts = verdict.violating > 0;
  const at = Math.max(verdict.violatedAt ?? 0, before?.at ?? 0, before?.lasts && !lasts ? now : 0);
  return { lasts, ...(at > 0 && { at }) };
}
