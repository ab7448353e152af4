/** Evaluates the pods and templates of a namespace. Every mode has its own verdicts, one for each workload. */
import type { Mode } from '../api/capability-policy.ts';
import { containersOf } from '../model/containers.ts';
import type { NamespaceView, PodContent, PodSpec } from '../model/objects.ts';
import { perObject } from '../policy/memo.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { runToEnd } from '../policy/run-to-end.ts';
import { membersOf, type Objects, type Seen } from './members.ts';
import { type EvaluatedModes, evaluatingModes, type ModeVerdicts } from './modes.ts';
import { evaluatingPromotion, type PromotionVerdict } from './promotion.ts';
import type { EvaluationContext } from './verdict.ts';
import { groupsOf } from './workload-verdict.ts';

export interface NamespaceVerdicts {
  readonly namespace: string;
  /** The verdicts of the modes in which some policy decides. */
  readonly modes: Partial<Readonly<Record<Mode, ModeVerdicts>>>;
  /**
   * The verdicts about promotions, by name of each policy that is pending in the namespace; absent if no policy is
   * pending there.
   */
  readonly promotions?: ReadonlyMap<string, PromotionVerdict>;
  /** Every capability, as written, that some container of an evaluated pod or template adds; sorted. */
  readonly addedCapabilities: readonly string[];
  /** Every capability that some container adds in a pod with `hostUsers: false`; sorted. */
  readonly addedInUserNamespaces: readonly string[];
}

type Evaluated = Pick<NamespaceView, 'name' | 'labels'>;

/** @param policies all accepted policies; the namespace must not be excluded */
export function evaluateNamespace(
  namespace: Evaluated,
  policies: readonly ResolvedPolicy[],
  cluster: Objects,
  evaluation: EvaluationContext,
): NamespaceVerdicts {
  return runToEnd(evaluatingNamespace(namespace, policies, cluster, evaluation));
}

/**
 * Like evaluateNamespace(), in steps. The evaluation reads the namespace's pods and workloads once, at the start.
 *
 * @param seen objects that are gone or changed, and count only for promotions
 */
export function* evaluatingNamespace(
  { name, labels }: Evaluated,
  policies: readonly ResolvedPolicy[],
  cluster: Objects,
  evaluation: EvaluationContext,
  seen: readonly Seen[] = [],
): Generator<void, NamespaceVerdicts> {
  const members = membersOf(name, cluster);
  const groups = groupsOf(members);
  const evaluated = yield* evaluatingModes(groups, { policies, labels }, evaluation);
  const promotions = new Map<string, PromotionVerdict>();
  for (const policy of policies.filter(({ pendingFor }) => pendingFor)) {
    const pending = { policy, policies, labels, groups, seen, cluster };
    promotions.set(policy.name, yield* evaluatingPromotion(pending, evaluation));
  }
  const pods = members.map(({ candidate }) => candidate.content);
  return {
    namespace: name,
    modes: verdictsOf(evaluated),
    ...(promotions.size > 0 && { promotions }),
    addedCapabilities: addedCapabilities(pods),
    addedInUserNamespaces: addedCapabilities(pods.filter(({ spec }) => spec.hostUsers === false)),
  };
}

/** The results, without the inputs that they depend on. */
export function verdictsOf(evaluated: EvaluatedModes): NamespaceVerdicts['modes'] {
  return Object.fromEntries(Object.entries(evaluated).map(([mode, { result }]) => [mode, result]));
}

function addedCapabilities(pods: readonly PodContent[]): string[] {
  const added = new Set<string>();
  for (const spec of new Set(pods.map((pod) => pod.spec)))
    for (const capability of addedIn(spec)) added.add(capability);
  return [...added].sort();
}

const addedIn = perObject((spec: PodSpec): readonly string[] =>
  containersOf(spec).flatMap((container) => {
    const { securityContext } = container as { securityContext?: { capabilities?: { add?: readonly string[] } } };
    return securityContext?.capabilities?.add ?? [];
  }),
);
