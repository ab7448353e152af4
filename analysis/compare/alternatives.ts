/**
 * Represents a policy as lists of checks. The policy admits a pod if the pod passes all checks of at least one list. A
 * policy with defaulting has two lists: one for the pod before defaulting, and one for the pod after defaulting.
 */
import { perObject } from '../../operator/policy/memo.ts';
import { evaluatesFilled } from '../../operator/policy/parts.ts';
import type { ResolvedPolicy, RuleChecks } from '../../operator/policy/resolve.ts';
import type { Check } from '../../operator/rules/rule.ts';
import { NotUnderstood } from './paths.ts';
import { factorsOf, type Reads, readsOf } from './reads.ts';

/**
 * An expression about the parts of a pod. The expression is written as checks, so that an Evaluator can evaluate it.
 */
export interface Expression {
  /** A number that identifies the expression. */
  readonly id: number;
  readonly rule: string;
  readonly alone: readonly RuleChecks[];
}

/** A check. If two policies have the same check, both policies use one KnownCheck object. */
export interface KnownCheck extends Expression {
  /** The fields that the check reads; undefined if the comparison does not understand the CEL of the check. */
  readonly reads: Reads | undefined;
  /**
   * The conditions that make up the check. If all conditions have the same results for two pods, the check has the same
   * result for both pods.
   */
  readonly factors: readonly Factor[];
}

export interface Factor extends Expression {
  readonly reads: Reads;
}

export interface Alternative {
  readonly policy: ResolvedPolicy;
  /** Whether the checks evaluate the pod after defaulting. */
  readonly filled: boolean;
  /**
   * Whether defaulting may fill in hostUsers: false. The API server accepts some fields only in a pod with hostUsers:
   * false, and validates a pod after defaulting.
   */
  readonly fillsHostUsers: boolean;
  readonly checks: readonly KnownCheck[];
}

/** The checks of the admitting policy. If no policy decides, there are no checks. */
export type Admitting = Pick<Alternative, 'checks' | 'fillsHostUsers'>;

/** The checks of all policies. Each check is kept only once. */
export class Checks {
  readonly #known = new Map<string, KnownCheck>();
  #expressions = 0;

  readonly alternatives = perObject((policy: ResolvedPolicy): readonly Alternative[] => {
    const asIs = { policy, filled: false, fillsHostUsers: false, checks: this.#of(policy.checks) };
    if (!evaluatesFilled(policy)) return [asIs];
    const fillsHostUsers = policy.fills.some(({ path }) => path[0] === 'hostUsers');
    return [asIs, { policy, filled: true, fillsHostUsers, checks: this.#of(policy.filledChecks) }];
  });

  #of(ofRules: readonly RuleChecks[]): KnownCheck[] {
    return ofRules.flatMap(({ rule, checks }) => checks.map((check) => this.#check(rule, check)));
  }

  #check(rule: string, { over, violates }: Check): KnownCheck {
    const key = JSON.stringify([rule, over, violates]);
    const known = this.#known.get(key);
    if (known) return known;
    const expression = (cel: string): Expression => {
      // The check has an empty message, because making a message would only cost time.
      const check: Check = { over, violates: cel, message: '""', path: '' };
      return { id: this.#expressions++, rule, alone: [{ rule, checks: [check] }] };
    };
    const reads = ifUnderstood(() => readsOf(violates));
    const factors = reads ? factorsOf(violates).map((cel) => ({ ...expression(cel), reads: readsOf(cel) })) : [];
    const check = { ...expression(violates), reads, factors };
    this.#known.set(key, check);
    return check;
  }
}

/** The result of `read`; undefined if the comparison does not understand the CEL expression. */
function ifUnderstood<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof NotUnderstood) return undefined;
    throw error;
  }
}
