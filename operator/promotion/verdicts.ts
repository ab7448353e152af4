/** Keeps the verdicts about promotions, and the times of violations in pending namespaces. */
import type { PromotionVerdict } from '../evaluate/promotion.ts';
import type { UseIndex } from '../evaluate/use.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';

/** The inputs of a verdict, except the objects in the namespace. */
export interface EvaluatedBy {
  /**
   * All policies that select the namespace. The array stays the same object until one of the policies in the array
   * changes.
   */
  readonly policies: readonly ResolvedPolicy[];
  /** The rights to use policies. The index of the rights stays the same object until a right changes. */
  readonly use: UseIndex;
}

interface Evaluated extends EvaluatedBy {
  /** The verdicts about promotions. The key is the policy's name. */
  readonly verdicts: ReadonlyMap<string, PromotionVerdict>;
}

interface LastViolation {
  /** The time of the last violation, in milliseconds since 1970. */
  readonly at?: number;
  /** Whether a workload violated the policy in the last evaluation, and may still violate the policy. */
  readonly lasts: boolean;
}

export class PromotionVerdicts {
  /** The last evaluation of each namespace. The key is the namespace. */
  readonly #evaluated = new Map<string, Evaluated>();
  /**
   * The last violations. The first key is the namespace, the second key is the policy's name. The last violations are
   * kept when a policy is edited and when a term ends. A pod that violated the policy still counts when the pod is
   * gone. The controller of promotions may process the violation later.
   */
  readonly #violations = new Map<string, ReadonlyMap<string, LastViolation>>();

  /** @param now the current time, in milliseconds since 1970 */
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

  /** @returns undefined if the last evaluation of the namespace did not use the current policies and rights */
  get(namespace: string, policy: string, { policies, use }: EvaluatedBy): PromotionVerdict | undefined {
    const evaluated = this.#evaluated.get(namespace);
    const verdict = evaluated?.verdicts.get(policy);
    if (!evaluated || !verdict || evaluated.policies !== policies) return undefined;
    if (evaluated.use !== use && policies.some(({ usableBy }) => usableBy !== 'Everyone')) return undefined;
    const violatedAt = this.#violations.get(namespace)?.get(policy)?.at;
    return violatedAt === undefined ? verdict : { ...verdict, violatedAt };
  }

  /** The policies that were pending in the namespace in the last evaluation. */
  policiesIn(namespace: string): Iterable<string> {
    return this.#evaluated.get(namespace)?.verdicts.keys() ?? [];
  }

  forget(namespace: string): void {
    this.#evaluated.delete(namespace);
    this.#violations.delete(namespace);
  }

  /**
   * Records that the current violations ended at the end of this term. Somebody may repair the violations while another
   * process leads.
   */
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
