/**
 * Finds the workloads of a cluster that hold a capability, or that use the subject of a rule. Also finds which policies
 * admit each use. The code is pure: the same cluster always gives the same result.
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

/**
 * The answer for a cluster, as `-o json` prints it. Only an answer about the namespace label has the fields of the type
 * AdminAccess.
 */
export interface ExplainedTopics {
  /** Whether the CRD is installed. In a cluster without the CRD, no policy decides. */
  readonly installed: boolean;
  /** The only namespace that was read; null if all namespaces were read. */
  readonly namespace: string | null;
  /** The number of workloads that were read. */
  readonly workloads: number;
  readonly topics: readonly ExplainedTopic[];
  /**
   * The workloads that lack pods because an API server refuses them. Webhooks may change pods, so nobody knows which
   * containers these pods have.
   */
  readonly refused: readonly RefusedWorkload[];
  /**
   * Sentences about the kinds that could not be read. Each sentence also says what is missing in the answer as a
   * result. The list is empty if the answer is complete.
   */
  readonly missing: readonly string[];
}

export interface RefusedWorkload extends WorkloadName {
  /** The API server's message. */
  readonly message: string;
}

export interface ExplainedTopic extends Partial<AdminAccess> {
  readonly kind: Topic['kind'];
  readonly name: string;
  /**
   * The override that pods are compared with instead of the levels. The field exists only for a rule that no level
   * restricts.
   */
  readonly comparedWith?: string;
  /**
   * The containers or pods that use the subject of the rule, or the containers that hold the capability. They are
   * sorted by workload. If the question is about a namespace label, the list is empty.
   */
  readonly found: readonly FoundUse[];
}

export interface FoundUse extends WorkloadName {
  /**
   * The number of the workload's pods in which the use was found; 0 if the use was found only in the workload's
   * template.
   */
  readonly pods: number;
  /** The name of the container; null if the use is in a field or a volume of the pod. */
  readonly container: string | null;
  /** How the container came to hold the capability. The field exists only if the question is about a capability. */
  readonly how?: HowHeld['way'];
  /**
   * The container runtimes on which the container holds the capability. The field exists only if the question is about
   * a capability.
   */
  readonly runtimes?: HowHeld['runtimes'];
  /**
   * Whether the capability applies only in the pod's own user namespace (`hostUsers: false`). The field exists only if
   * the question is about a capability.
   */
  readonly inUserNamespace?: boolean;
  /** The loosest level that does not admit the use; null if every level admits the use. */
  readonly beyond: Beyond | null;
  /** The messages of the level in `beyond`, or of the override in `comparedWith`. */
  readonly messages: readonly string[];
  /**
   * Whether the container used the capability, according to the evidence. The value is null if no record names the
   * container. The field exists only if the question is about a capability, and only with evidence.
   */
  readonly evidence?: UseEvidence | null;
  readonly admission: Admission;
  /** The policies that decide in the namespace, sorted by mode: Enforce, Warn, Audit. */
  readonly policies: readonly PolicyAnswer[];
}

export interface UseEvidence {
  readonly used: boolean;
  /** The number of checks in which the kernel granted the capability. */
  readonly checks: number;
  /** The time of the last check; absent if the tool recorded no times. */
  readonly last?: string;
  readonly coverage: Coverage;
}

export interface ExplainedCluster {
  readonly cluster: Cluster;
  readonly state: PolicyState;
  readonly evaluation: EvaluationContext;
  /** Whether the CRD is installed. In a cluster without the CRD, no policy decides. */
  readonly installed: boolean;
  /** The only namespace to read; undefined if all namespaces are read. */
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
    refused: places.flatMap(({ groups }) => groups.flatMap(refusedIn)),
    missing,
  };
}

function refusedIn({ workload: { kind, namespace, name }, refusal }: Group): RefusedWorkload[] {
  return refusal ? [{ kind, namespace, name, message: refusal.message }] : [];
}

/** A namespace with its workloads, and the policies that decide in the namespace. */
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

/**
 * The uses of the topic in a workload. Equal pods share one entry. If the workload's template equals the pods of an
 * entry, the template belongs to the same entry.
 */
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

/**
 * The pods of a workload mostly have the same spec and the same users. Each distinct pod is therefore evaluated once.
 */
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
