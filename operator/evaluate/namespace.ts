/** A namespace's pods and templates → verdicts by workload, separately for each mode. */
import type { Mode } from '../api/capability-policy.ts';
import { containersOf } from '../model/containers.ts';
import type { NamespaceView, PodParts, PodSpec } from '../model/objects.ts';
import { deciding, MODES } from '../policy/deciding.ts';
import { perObject } from '../policy/memo.ts';
import { lastOf } from '../policy/pieces.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { membersOf, type Objects, type Seen } from './members.ts';
import { judgingPromotion, type PromotionVerdict } from './promotion.ts';
import type { Court } from './verdict.ts';
import { byKindAndName, type Groups, judgingMode, mergeMembers, type WorkloadJudgement } from './workload-judgement.ts';

export interface NamespaceJudgement {
  readonly namespace: string;
  /** Only the modes in which some policy decides. */
  readonly modes: Partial<Readonly<Record<Mode, ModeJudgement>>>;
  /** By name of each policy that is pending here; absent if there is none. */
  readonly promotions?: ReadonlyMap<string, PromotionVerdict>;
  /** Every capability, as written, that some container of a judged pod or template adds; sorted. */
  readonly addedCapabilities: readonly string[];
  /** Those of them that some container adds in a pod with hostUsers: false; sorted. */
  readonly addedInUserNamespaces: readonly string[];
}

export interface ModeJudgement {
  /** Names of the policies that decide. */
  readonly deciding: readonly string[];
  /** By kind and name. */
  readonly workloads: readonly WorkloadJudgement[];
}

interface Enforced {
  readonly priority: number;
  readonly groups: Groups;
}

const NONE: Groups = new Map();

type Judged = Pick<NamespaceView, 'name' | 'labels'>;

/** @param policies all accepted ones; the namespace must not be excluded */
export function judgeNamespace(
  namespace: Judged,
  policies: readonly ResolvedPolicy[],
  cluster: Objects,
  court: Court,
): NamespaceJudgement {
  return lastOf(judgingNamespace(namespace, policies, cluster, court));
}

/**
 * Like judgeNamespace(), but in pieces. Reads the namespace's pods and workloads once, at the start.
 *
 * @param seen counts only for promotions
 */
export function* judgingNamespace(
  { name, labels }: Judged,
  policies: readonly ResolvedPolicy[],
  cluster: Objects,
  court: Court,
  seen: readonly Seen[] = [],
): Generator<void, NamespaceJudgement> {
  const members = membersOf(name, cluster);
  const modes: Partial<Record<Mode, ModeJudgement>> = {};
  let enforced: Enforced | undefined;
  for (const mode of MODES) {
    const parties = deciding(policies, mode, labels);
    const [first] = parties;
    if (!first) continue;
    const groups = yield* judgingMode(members, parties, court);
    const exceptions = enforced && enforced.priority >= first.priority ? enforced.groups : NONE;
    modes[mode] = {
      deciding: parties.map((policy) => policy.name),
      workloads: [...groups].map(([key, group]) => mergeMembers(group, exceptions.get(key))).sort(byKindAndName),
    };
    // The first of the modes.
    if (mode === 'Enforce') enforced = { priority: first.priority, groups };
  }
  const promotions = new Map<string, PromotionVerdict>();
  for (const policy of policies.filter(({ pendingFor }) => pendingFor)) {
    const pending = { policy, policies, labels, members, seen, cluster };
    promotions.set(policy.name, yield* judgingPromotion(pending, court));
  }
  const pods = members.map(({ candidate }) => candidate.parts);
  return {
    namespace: name,
    modes,
    ...(promotions.size > 0 && { promotions }),
    addedCapabilities: addedCapabilities(pods),
    addedInUserNamespaces: addedCapabilities(pods.filter(({ spec }) => spec.hostUsers === false)),
  };
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
