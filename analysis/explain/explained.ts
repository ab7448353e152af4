/**
 * Finds who holds a capability, or uses what a rule is about, in a cluster, and which policies admit it. Pure: the same
 * cluster gives the same result. docs/reference/explain.schema.json describes the result.
 */
import { type Member, membersOf } from '../../operator/evaluate/members.ts';
import type { EvaluationContext } from '../../operator/evaluate/verdict.ts';
import { type Group, groupsOf } from '../../operator/evaluate/workload-verdict.ts';
import type { WorkloadName } from '../../operator/evaluate/workloads.ts';
import type { Cluster, NamespaceView, PodSpec } from '../../operator/model/objects.ts';
import { idOf } from '../../operator/policy/memo.ts';
import type { PolicyState } from '../../operator/state/policy-state.ts';
import type { HowHeld } from '../capabilities/how-held.ts';
import type { Coverage } from '../evidence/coverage.ts';
import type { UsedCapabilities } from '../evidence/used-capabilities.ts';
import { type AdminAccess, adminAccessIn } from './admin-access.ts';
import { type Admission, admissionOf, answerOf, type Deciders, decidersIn, type PolicyAnswer } from './answers.ts';
import type { Beyond } from './levels.ts';
import type { Topic } from './topic.ts';
import { type Use, type UseFinder, type UseTopic, useFinder } from './uses.ts';

/** The answer for a cluster, as `-o json` prints it. Only the topic of a namespace label has the fields of AdminAccess. */
export interface ExplainedTopics {
  /** False in a cluster without the CRD, where no policy decides. */
  readonly installed: boolean;
  /** The only namespace that was read; null for all. */
  readonly namespace: string | null;
  /** The number of workloads that were read. */
  readonly workloads: number;
  readonly topics: readonly ExplainedTopic[];
  /** The kinds that could not be read, with the consequences; empty if the answer is complete. */
  readonly missing: readonly string[];
}

export interface ExplainedTopic extends Partial<AdminAccess> {
  readonly kind: Topic['kind'];
  readonly name: string;
  /**
   * Only for a rule that no level restricts: the override of the rule with which pods are compared instead of the
   * levels.
   */
  readonly comparedWith?: string;
  /**
   * The containers that hold the capability, or the containers or pods that the rule is about; sorted by workload. Empty
   * for a namespace label.
   */
  readonly found: readonly FoundUse[];
}

export interface FoundUse extends WorkloadName {
  /** The number of the workload's pods that are like this; 0 if only its template is. */
  readonly pods: number;
  /** The container; null if it is a field or a volume of the pod. */
  readonly container: string | null;
  /** Only for a capability: how the container came to hold it. */
  readonly how?: HowHeld['way'];
  /** Only for a capability: the container runtimes on which the container holds it. */
  readonly runtimes?: HowHeld['runtimes'];
  /** Only for a capability: whether it counts only in the pod's own user namespace (`hostUsers: false`). */
  readonly inUserNamespace?: boolean;
  /** The loosest level that does not admit it; null if every level admits it. */
  readonly beyond: Beyond | null;
  /** The messages of this level, or else of the compared override. */
  readonly messages: readonly string[];
  /** Only for a capability, and with evidence: whether the container used it; null if no record names the container. */
  readonly evidence?: UseEvidence | null;
  readonly admission: Admission;
  /** The policies that decide in the namespace, by mode: Enforce, Warn, Audit. */
  readonly policies: readonly PolicyAnswer[];
}

export interface UseEvidence {
  readonly used: boolean;
  /** The number of checks in which the kernel granted the capability. */
  readonly checks: number;
  /** The time of the last check, if the tool recorded it. */
  readonly last?: string;
  readonly coverage: Coverage;
}

export interface ExplainedCluster {
  readonly cluster: Cluster;
  readonly state: PolicyState;
  readonly evaluation: EvaluationContext;
  /** Whether the policies of the cluster decide; false in a cluster without the CRD. */
  readonly installed: boolean;
  /** The only namespace to read; undefined for all. */
  readonly only?: string | undefined;
  readonly missing: readonly string[];
  readonly evidence?: UsedCapabilities | undefined;
}

export function explainedTopics(topics: readonly Topic[], explained: ExplainedCluster): ExplainedTopics {
  const { cluster, state, installed, only, missing } = explained;
  const places = placesIn(explained);
  return {
    installed,
    namespace: only ?? null,
    workloads: places.reduce((sum, { groups }) => sum + groups.length, 0),
    topics: topics.map((topic) => {
      if (topic.kind === 'NamespaceLabel') {
        const access = adminAccessIn(namespacesOf(explained), installed ? state : undefined);
        return { ...topic, found: [], ...access };
      }
      const finder = useFinder(topic, {
        evaluator: explained.evaluation.evaluator,
        oldestServer: cluster.oldestServer,
      });
      return {
        kind: topic.kind,
        name: topic.name,
        ...(finder.reference !== undefined && { comparedWith: finder.reference }),
        found: places.flatMap(({ groups, deciders }) =>
          groups.flatMap((group) => foundIn(group, { topic, finder, deciders }, explained)),
        ),
      };
    }),
    missing,
  };
}

/** A namespace with its workloads, and the policies that decide there. */
interface Place {
  readonly groups: readonly Group[];
  readonly deciders: Deciders;
}

function placesIn(explained: ExplainedCluster): Place[] {
  const { cluster, state, installed } = explained;
  return namespacesOf(explained).map((namespace) => ({
    groups: groupsOf(membersOf(namespace.name, cluster)),
    deciders: installed ? decidersIn(namespace, state) : [],
  }));
}

function namespacesOf({ cluster, only }: ExplainedCluster): NamespaceView[] {
  return cluster.namespaces().filter(({ name }) => only === undefined || name === only);
}

interface Finding {
  readonly topic: UseTopic;
  readonly finder: UseFinder;
  readonly deciders: Deciders;
}

/** The uses in a workload. Pods that are alike share one entry, also with the workload's template. */
function foundIn({ workload, members }: Group, finding: Finding, explained: ExplainedCluster): FoundUse[] {
  const found = new Map<string, FoundUse>();
  for (const { member, pods } of distinctMembers(members)) {
    for (const use of finding.finder.usesIn(member.candidate.content)) {
      const one = foundUse(use, { workload, member }, finding, explained);
      const key = JSON.stringify(one);
      found.set(key, { ...one, pods: pods + (found.get(key)?.pods ?? 0) });
    }
  }
  return [...found.values()];
}

/** Pods of a workload mostly share their spec and their users, so each distinct pod is looked at once. */
function distinctMembers(members: readonly Member[]): { readonly member: Member; readonly pods: number }[] {
  const alike = Map.groupBy(members, ({ candidate: { content, users, filled, unknownUser } }) =>
    JSON.stringify([idOf(content.spec), idOf(content.annotations), idOf(users), filled, unknownUser]),
  );
  return [...alike.values()].map((same) => ({
    member: same[0] as Member,
    pods: same.filter(({ pod }) => pod).length,
  }));
}

function foundUse(
  use: Use,
  { workload, member }: { readonly workload: WorkloadName; readonly member: Member },
  { topic, deciders }: Finding,
  { evaluation, state, evidence }: ExplainedCluster,
): FoundUse {
  const { candidate } = member;
  const { container, held, beyond, messages } = use;
  const reasonOf = (policy: string) => state.acceptedText(policy)?.spec.reason;
  const compares = topic.kind === 'Capability' && evidence !== undefined && container !== undefined;
  const { kind, namespace, name } = workload;
  return {
    namespace,
    kind,
    name,
    pods: 0,
    container: container ?? null,
    ...(held && { how: held.way, runtimes: held.runtimes, inUserNamespace: held.inUserNamespace }),
    beyond,
    messages,
    ...(compares && {
      evidence: evidenceOf(topic.name, container, { spec: candidate.content.spec, workload, evidence }),
    }),
    admission: admissionOf(candidate, deciders, evaluation),
    policies: deciders.map((policy) => answerOf(policy, { use, candidate }, evaluation, reasonOf)),
  };
}

interface Compared {
  readonly spec: PodSpec;
  readonly workload: WorkloadName;
  readonly evidence: UsedCapabilities;
}

function evidenceOf(capability: string, container: string, { spec, workload, evidence }: Compared): UseEvidence | null {
  const compared = evidence.compare(spec, { ...workload, labels: {} }).find(({ name }) => name === container);
  if (!compared?.evidence) return null;
  const { used, coverage } = compared.evidence;
  const seen = used.find((one) => one.capability === capability);
  return {
    used: seen !== undefined,
    checks: seen?.count ?? 0,
    ...(seen?.last !== undefined && { last: seen.last }),
    coverage,
  };
}
