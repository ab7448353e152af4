/** Evaluates the pods and templates of a namespace. In every mode, each workload has one verdict. */
import type { Mode } from '../api/capability-policy.ts';
import type { NamespaceView } from '../model/objects.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { runToEnd } from '../policy/run-to-end.ts';
import { membersOf, type Objects, type Seen } from './members.ts';
import { type EvaluatedModes, evaluatingModes, type ModeVerdicts } from './modes.ts';
import { findingNeeds, type NamespaceNeeds } from './namespace-needs.ts';
import { evaluatingPromotion, type PromotionVerdict } from './promotion.ts';
import type { DecidedSince } from './refused.ts';
import type { EvaluationContext } from './verdict.ts';
import { groupsOf } from './workload-verdict.ts';

export interface NamespaceVerdicts {
  readonly namespace: string;
  /** The verdicts of the modes in which some policy decides. */
  readonly modes: Partial<Readonly<Record<Mode, ModeVerdicts>>>;
  /**
   * The verdicts about promotions. The key is the name of a policy that is pending in the namespace. The field is
   * absent if no policy is pending in the namespace.
   */
  readonly promotions?: ReadonlyMap<string, PromotionVerdict>;
  /** The grants that the workloads need from each deciding policy. The key is the policy's name. */
  readonly needs: NamespaceNeeds;
}

interface NamespaceOptions {
  /** Objects that are gone or changed. These objects count only for promotions. */
  readonly seen?: readonly Seen[];
  /** The time since which the current policies decide. By default, every refusal counts. */
  readonly decidedSince?: DecidedSince | undefined;
  /** The Enforce policies that decide in the cluster, if the policies are not in the cluster. */
  readonly live?: readonly ResolvedPolicy[] | undefined;
}

type Evaluated = Pick<NamespaceView, 'name' | 'labels'>;

/** @param policies all accepted policies. The namespace must not be excluded */
export function evaluateNamespace(
  namespace: Evaluated,
  policies: readonly ResolvedPolicy[],
  cluster: Objects,
  evaluation: EvaluationContext,
  options: NamespaceOptions = {},
): NamespaceVerdicts {
  return runToEnd(evaluatingNamespace(namespace, policies, cluster, evaluation, options));
}

/**
 * Does what evaluateNamespace() does, in steps. The evaluation reads the namespace's pods and workloads once, at the
 * start.
 */
export function* evaluatingNamespace(
  { name, labels }: Evaluated,
  policies: readonly ResolvedPolicy[],
  cluster: Objects,
  evaluation: EvaluationContext,
  { seen = [], decidedSince, live }: NamespaceOptions = {},
): Generator<void, NamespaceVerdicts> {
  const groups = groupsOf(membersOf(name, cluster));
  const evaluated = yield* evaluatingModes(groups, { policies, labels, decidedSince, live }, evaluation);
  const promotions = new Map<string, PromotionVerdict>();
  for (const policy of policies.filter(({ pendingFor }) => pendingFor)) {
    const pending = { policy, policies, labels, decidedSince, groups, seen, cluster };
    promotions.set(policy.name, yield* evaluatingPromotion(pending, evaluation));
  }
  const needs = yield* findingNeeds({ groups, modes: evaluated, policies, labels }, evaluation);
  return {
    namespace: name,
    modes: verdictsOf(evaluated),
    ...(promotions.size > 0 && { promotions }),
    needs,
  };
}

/** Returns only the results of the evaluation, without the inputs. */
export function verdictsOf(evaluated: EvaluatedModes): NamespaceVerdicts['modes'] {
  return Object.fromEntries(Object.entries(evaluated).map(([mode, { result }]) => [mode, result]));
}
