/** A namespace's pods and templates → verdicts by workload, separately for each mode. */
import type { Mode } from '../api/capability-policy.ts';
import { containersOf } from '../model/containers.ts';
import type { NamespaceView, PodParts, PodSpec } from '../model/objects.ts';
import { perObject } from '../policy/memo.ts';
import { lastOf } from '../policy/pieces.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { membersOf, type Objects, type Seen } from './members.ts';
import { type JudgedModes, judgingModes, type ModeJudgement } from './modes.ts';
import { judgingPromotion, type PromotionVerdict } from './promotion.ts';
import type { EvaluationContext } from './verdict.ts';
import { groupsOf } from './workload-judgement.ts';

export interface NamespaceJudgement {
  readonly namespace: string;
  /** The verdicts of the modes in which some policy decides. */
  readonly modes: Partial<Readonly<Record<Mode, ModeJudgement>>>;
  /** By name of each policy that is pending in the namespace; absent if there is none. */
  readonly promotions?: ReadonlyMap<string, PromotionVerdict>;
  /** Every capability, as written, that some container of an evaluated pod or template adds; sorted. */
  readonly addedCapabilities: readonly string[];
  /** The capabilities among them that some container adds in a pod with hostUsers: false; sorted. */
  readonly addedInUserNamespaces: readonly string[];
}

type Judged = Pick<NamespaceView, 'name' | 'labels'>;

/** @param policies all accepted policies; the namespace must not be excluded */
export function judgeNamespace(
  namespace: Judged,
  policies: readonly ResolvedPolicy[],
  cluster: Objects,
  evaluation: EvaluationContext,
): NamespaceJudgement {
  return lastOf(judgingNamespace(namespace, policies, cluster, evaluation));
}

/**
 * The same in pieces. It reads the namespace's pods and workloads once, at the start.
 *
 * @param seen objects that count only for promotions
 */
export function* judgingNamespace(
  { name, labels }: Judged,
  policies: readonly ResolvedPolicy[],
  cluster: Objects,
  evaluation: EvaluationContext,
  seen: readonly Seen[] = [],
): Generator<void, NamespaceJudgement> {
  const members = membersOf(name, cluster);
  const groups = groupsOf(members);
  const judged = yield* judgingModes(groups, { policies, labels }, evaluation);
  const promotions = new Map<string, PromotionVerdict>();
  for (const policy of policies.filter(({ pendingFor }) => pendingFor)) {
    const pending = { policy, policies, labels, groups, seen, cluster };
    promotions.set(policy.name, yield* judgingPromotion(pending, evaluation));
  }
  const pods = members.map(({ candidate }) => candidate.parts);
  return {
    namespace: name,
    modes: judgementsOf(judged),
    ...(promotions.size > 0 && { promotions }),
    addedCapabilities: addedCapabilities(pods),
    addedInUserNamespaces: addedCapabilities(pods.filter(({ spec }) => spec.hostUsers === false)),
  };
}

/** The results, without the inputs that they depend on. */
export function judgementsOf(judged: JudgedModes): NamespaceJudgement['modes'] {
  return Object.fromEntries(Object.entries(judged).map(([mode, { judgement }]) => [mode, judgement]));
}

function addedCapabilities(pods: readonly PodParts[]): string[] {
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
