/**
 * Finds the changes that make a pod comply with policies. The changes are the fixes that the rules define. If a
 * violation remains, the result says why no change ends the violation.
 */
import { CelEngine } from '../../operator/evaluate/cel.ts';
import {
  type Candidate,
  COST_RULE,
  type EvaluationContext,
  evaluate,
  type PodVerdict,
  USE_RULE,
  violationsBy,
} from '../../operator/evaluate/verdict.ts';
import type { Violation } from '../../operator/evaluate/violations.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import { perObject } from '../../operator/policy/memo.ts';
import { fixesOf, type ResolvedPolicy } from '../../operator/policy/resolve.ts';
import { RULES } from '../../operator/rules/index.ts';
import { FIX_CLASSES, type Fix, type FixClass } from '../../operator/rules/rule.ts';
import { SIZE_RULE } from '../../operator/rules/size.ts';
import { changesBy, isSameField, type PodChange, withChange } from './changed-fields.ts';

/** A change of one field, with all the violations that the change ends. */
export interface Repair extends PodChange {
  readonly policy: string;
  readonly rule: string;
  readonly class: FixClass;
  /** The violation that the change ends. */
  readonly reason: string;
  readonly risk: string;
}

export interface LeftViolation extends Violation {
  readonly policy: string;
  /** The reason why no change ends the violation. */
  readonly why: string;
}

export interface Repaired {
  /** The changes in the order in which they are made. Each field has at most one change. */
  readonly repairs: readonly Repair[];
  readonly left: readonly LeftViolation[];
}

/** The result of repairing a pod for one policy. */
interface Attempt {
  readonly candidate: Candidate;
  readonly repairs: readonly Repair[];
  readonly result: PodVerdict;
}

/**
 * The text for a violation without an explanation. Users should never see this text, because every rule says why a
 * violation cannot be fixed.
 */
export const NOTHING_KNOWN = 'none is known';

/**
 * The number of rounds of fixes. The longest chain of fixes that depend on each other has fewer fixes than this number.
 */
const ROUNDS = 4;
const VERDICTS = ['Compliant', 'Unknown', 'Violating'] as const;

export class Repairer {
  readonly #engine = new CelEngine();
  readonly #evaluation: EvaluationContext;
  readonly #classes: ReadonlySet<FixClass>;
  readonly #fixesOf = perObject((policy: ResolvedPolicy): ReadonlyMap<string, readonly Fix[]> => fixesOf(policy));
  /** A cache of the last evaluation. A pod that complies is evaluated twice: before and after all repairs. */
  readonly #evaluated = perObject((candidate: Candidate) =>
    perObject((policies: readonly ResolvedPolicy[]) => evaluate(candidate, policies, this.#evaluation)),
  );

  /** @param classes the classes of fixes that may be made */
  constructor(evaluation: EvaluationContext, classes: ReadonlySet<FixClass>) {
    this.#evaluation = evaluation;
    this.#classes = classes;
  }

  /**
   * Repairs a pod. In each mode, the pod is changed to satisfy the policy that needs the fewest and safest changes. A
   * change for one mode is not made if the change would add violations of a stricter mode.
   *
   * @param modes for each mode, the policies that decide. The strictest mode comes first
   */
  repair(candidate: Candidate, modes: readonly (readonly ResolvedPolicy[])[]): Repaired {
    let now = candidate;
    let repairs: readonly Repair[] = [];
    for (const [index, policies] of modes.entries()) {
      if (this.#evaluated(now)(policies).verdict !== 'Violating') continue;
      const best = this.#best(now, policies);
      if (modes.slice(0, index).some((before) => this.#isWorse(best.candidate, now, before))) continue;
      now = best.candidate;
      repairs = [...repairs, ...best.repairs];
    }
    return { repairs: merged(repairs), left: modes.flatMap((policies) => this.#left(now, policies)) };
  }

  #best(candidate: Candidate, policies: readonly ResolvedPolicy[]): Attempt {
    const attempts = policies.map((policy) => this.#attempt(candidate, policy));
    return attempts.reduce((best, one) => (isBetter(one, best) ? one : best));
  }

  #attempt(candidate: Candidate, policy: ResolvedPolicy): Attempt {
    let now = candidate;
    let result = evaluate(now, [policy], this.#evaluation);
    const repairs: Repair[] = [];
    for (let round = 0; round < ROUNDS && result.verdict === 'Violating'; round += 1) {
      const before = now;
      for (const { rule, changes, fix } of this.#changesFor(policy, result, () => now.content)) {
        for (const change of changes) {
          now = { ...now, content: withChange(now.content, change) };
          repairs.push(repairOf(change, { fix, rule, policy, result }));
        }
      }
      if (now === before) break;
      result = evaluate(now, [policy], this.#evaluation);
    }
    return { candidate: now, repairs, result };
  }

  /** Yields each fix, together with the changes that the fix would make. Only violated rules make changes. */
  *#changesFor(policy: ResolvedPolicy, result: PodVerdict, content: () => PodContent) {
    const violated = new Set(violationsBy(policy.name, result.violations).map(({ rule }) => rule));
    for (const [rule, fixes] of this.#fixesOf(policy)) {
      if (!violated.has(rule)) continue;
      for (const fix of fixes) {
        if (this.#classes.has(fix.class)) yield { rule, fix, changes: changesBy(fix, content(), this.#engine) };
      }
    }
  }

  /** Whether the pod `after` has more violations than the pod `before`. */
  #isWorse(after: Candidate, before: Candidate, policies: readonly ResolvedPolicy[]): boolean {
    return countOf(this.#evaluated(after)(policies)) > countOf(this.#evaluated(before)(policies));
  }

  #left(candidate: Candidate, policies: readonly ResolvedPolicy[]): LeftViolation[] {
    const result = this.#evaluated(candidate)(policies);
    if (result.verdict !== 'Violating') return [];
    return policies.flatMap((policy) =>
      violationsBy(policy.name, result.violations).map((violation) => ({
        ...violation,
        policy: policy.name,
        why: this.#why(violation, policy, candidate.content),
      })),
    );
  }

  #why({ rule, container }: Violation, policy: ResolvedPolicy, content: PodContent): string {
    if (rule === USE_RULE)
      return 'no field of a pod grants the use of a policy: create a binding that grants the use, or choose another service account';
    if (rule === COST_RULE) return 'it is not known whether the pod complies';
    if (rule === SIZE_RULE) return 'a list of the pod is too long, and must be shortened by hand';
    const fixes = this.#fixesOf(policy).get(rule) ?? [];
    const possible = fixes.filter((fix) =>
      changesBy(fix, content, this.#engine).some((change) => container === undefined || change.container === container),
    );
    const leftOut = FIX_CLASSES.find((one) => !this.#classes.has(one) && possible.some((fix) => fix.class === one));
    if (leftOut !== undefined) return `the fix is of class ${leftOut}, and --only leaves out this class`;
    if (possible.length > 0) return 'the fix would violate a policy of a stricter mode';
    return RULES.find(({ id }) => id === rule)?.unfixable ?? NOTHING_KNOWN;
  }
}

function countOf({ verdict, violations }: PodVerdict): number {
  return verdict === 'Compliant' ? 0 : Object.values(violations).reduce((sum, ofPolicy) => sum + ofPolicy.length, 0);
}

/**
 * Whether one attempt is better than another. Attempts are compared by verdict, then by the remaining violations, the
 * riskiest change, and the number of changes.
 */
function isBetter(a: Attempt, b: Attempt): boolean {
  const rank = ({ result, repairs }: Attempt) => [
    VERDICTS.indexOf(result.verdict),
    countOf(result),
    Math.max(-1, ...repairs.map((one) => FIX_CLASSES.indexOf(one.class))),
    repairs.length,
  ];
  const [ranksOfA, ranksOfB] = [rank(a), rank(b)];
  const at = ranksOfA.findIndex((value, index) => value !== ranksOfB[index]);
  return at !== -1 && (ranksOfA[at] ?? 0) < (ranksOfB[at] ?? 0);
}

interface Cause {
  readonly fix: Fix;
  readonly rule: string;
  readonly policy: ResolvedPolicy;
  readonly result: PodVerdict;
}

function repairOf(change: PodChange, { fix, rule, policy, result }: Cause): Repair {
  const ofRule = violationsBy(policy.name, result.violations).filter((violation) => violation.rule === rule);
  const ofPart = ofRule.filter(({ container }) => container === change.container);
  const cause = ofPart.find(({ path }) => path.endsWith(change.field.join('.'))) ?? ofPart[0] ?? ofRule[0];
  return { ...change, policy: policy.name, rule, class: fix.class, reason: cause?.message ?? '', risk: fix.risk };
}

/**
 * Merges the changes of the same field into one. A merged change has the field's last value, and the class and risk of
 * the riskiest change.
 */
function merged(repairs: readonly Repair[]): Repair[] {
  const byField: Repair[] = [];
  for (const repair of repairs) {
    const index = byField.findIndex((one) => isSameField(one, repair));
    const before = byField[index];
    if (!before) byField.push(repair);
    else {
      const isRiskier = FIX_CLASSES.indexOf(repair.class) >= FIX_CLASSES.indexOf(before.class);
      byField[index] = { ...(isRiskier ? repair : before), value: repair.value };
    }
  }
  return byField;
}
