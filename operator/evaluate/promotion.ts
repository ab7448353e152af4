/**
 * A policy is pending in a namespace. The functions decide whether the operator could promote the namespace. The
 * functions also find the workloads that the policy would refuse after the promotion.
 */
import { deciding } from '../policy/deciding.ts';
import { perObject } from '../policy/memo.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import type { Labels } from '../policy/selector.ts';
import { severityRank } from '../rules/severity.ts';
import { memberOf, type Objects, type Seen } from './members.ts';
import { type RefusalContext, withRefusal } from './refused.ts';
import type { EvaluationContext } from './verdict.ts';
import { evaluatingWorkloads, type Group, groupsOf, isTooExpensive, type WorkloadVerdict } from './workload-verdict.ts';

export interface PromotionVerdict {
  /** The number of workloads that would be refused after the promotion. */
  readonly violating: number;
  /** The workload with the worst violation. The field is absent if no workload violates the policy. */
  readonly worst?: WorkloadVerdict;
  /**
   * The time of the last violation among the pods and workloads that are now gone or changed, in milliseconds since
   * 1970.
   */
  readonly violatedAt?: number;
}

interface Pending extends RefusalContext {
  /** The pending part of the policy. */
  readonly policy: ResolvedPolicy;
  /** All policies that select the namespace. */
  readonly policies: readonly ResolvedPolicy[];
  readonly labels: Labels;
  readonly seen: readonly Seen[];
  readonly cluster: Objects;
}

/**
 * Evaluates a promotion. After the promotion, the pending policy decides together with the Enforce policies of the same
 * priority. If an Enforce policy has a higher priority, the pending policy does not decide.
 */
export function* evaluatingPromotion(
  pending: Pending & { readonly groups: readonly Group[] },
  evaluation: EvaluationContext,
): Generator<void, PromotionVerdict> {
  const deciders = decidersOf(pending);
  if (deciders.length === 0) return { violating: 0 };
  const groups = pending.groups.map(asCreatedAgain);
  const evaluated = yield* evaluatingWorkloads(groups, deciders, evaluation);
  const workloads = evaluated
    .map((workload, index) => withRefusal(workload, groups[index] as Group, [pending.policy], pending))
    .filter(wouldBeRefused);
  const worst = workloads.reduce<WorkloadVerdict | undefined>((a, b) => (a && !isWorse(b, a) ? a : b), undefined);
  const violatedAt = yield* evaluatingSeen(pending, evaluation);
  return { violating: workloads.length, ...(worst && { worst }), ...(violatedAt !== undefined && { violatedAt }) };
}

/** The time of the last violation by an object that may be gone or changed, in milliseconds since 1970. */
export function* evaluatingSeen(pending: Pending, evaluation: EvaluationContext): Generator<void, number | undefined> {
  const deciders = decidersOf(pending);
  let violatedAt: number | undefined;
  if (deciders.length === 0) return violatedAt;
  for (const { object, at } of pending.seen) {
    if (at <= (violatedAt ?? 0)) continue;
    const gone = yield* evaluatingWorkloads(
      groupsOf(memberOf(object, pending.cluster)).map(asCreatedAgain),
      deciders,
      evaluation,
    );
    if (gone.some(wouldBeRefused)) violatedAt = at;
  }
  return violatedAt;
}

/**
 * The policies that will decide after the promotion of this policy. The list is empty if this policy will not decide.
 */
function decidersOf({ policy, policies, labels }: Pending): ResolvedPolicy[] {
  const enforced = policy.pendingFor as ResolvedPolicy;
  const others = policies.filter((other) => other.name !== policy.name);
  const deciders = deciding([...others, selectingAll(enforced)], 'Enforce', labels);
  return deciders.some(({ name }) => name === policy.name) ? deciders : [];
}

const EVERYWHERE = {};

/**
 * A copy of the policy with a selector that matches every namespace. While the namespace has the label of the pending
 * part, the selector of the policy's enforced part does not match the namespace.
 */
const selectingAll = perObject((policy: ResolvedPolicy): ResolvedPolicy => ({ ...policy, selector: EVERYWHERE }));

/**
 * If the policy has defaulting, defaulting fills in fields of new pods after the promotion. The function therefore
 * evaluates pods in the form that they have after defaulting.
 */
function asCreatedAgain(group: Group): Group {
  const members = group.members.map((member) => ({ ...member, candidate: { ...member.candidate, filled: true } }));
  return { ...group, members };
}

/**
 * Whether the API server would refuse the workload. A pod that is too expensive to evaluate counts as refused. API
 * servers have cost limits, and refuse a pod that is too expensive. No Standard has cost limits. If pods of the workload
 * are refused already, nobody knows what they contain, so the workload counts as refused, too.
 */
function wouldBeRefused(workload: WorkloadVerdict): boolean {
  return workload.verdict === 'Violating' || workload.refused !== undefined || isTooExpensive(workload);
}

function isWorse(a: WorkloadVerdict, b: WorkloadVerdict): boolean {
  return rankOf(a) < rankOf(b);
}

/** A number for the comparison of verdicts. A lower number means a worse violation. */
function rankOf({ violations }: WorkloadVerdict): number {
  const broken = Object.values(violations).flat();
  return Math.min(...broken.map(({ rule }) => severityRank(rule)));
}
