/** A namespace's pods and templates → verdicts by workload, for each mode on its own. */
import type { Mode } from '../api/capability-policy.ts';
import type { Cluster, NamespaceView, PodParts, PodView, WorkloadView } from '../cluster/objects.ts';
import { deciding, MODES } from '../policy/deciding.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import {
  type Candidate,
  type Court,
  type Judgement,
  judge,
  NO_VIOLATIONS,
  podCandidate,
  templateCandidate,
  type Verdict,
  violationsBy,
} from './verdict.ts';
import type { Violation } from './violations.ts';
import { topController, type WorkloadName, watchedOwner } from './workloads.ts';

export interface NamespaceJudgement {
  readonly namespace: string;
  /** Only the modes in which some policy decides. */
  readonly modes: Partial<Readonly<Record<Mode, ModeJudgement>>>;
  /** Every capability, as written, that some container of a judged pod or template adds; sorted. */
  readonly addedCapabilities: readonly string[];
}

export interface ModeJudgement {
  /** Names of the policies that decide. */
  readonly deciding: readonly string[];
  /** By kind and name. */
  readonly workloads: readonly WorkloadJudgement[];
}

export interface WorkloadJudgement extends WorkloadName {
  /** The worst of its template's and its pods' verdicts. */
  readonly verdict: Verdict;
  /** How many of its pods violate now. */
  readonly pods: number;
  /** Why, by policy, each violation once; empty when Compliant. */
  readonly violations: Readonly<Record<string, readonly Violation[]>>;
}

type Objects = Pick<Cluster, 'pods' | 'workloads' | 'workload'>;

/** A pod or template of a workload. */
export interface Member {
  readonly workload: WorkloadName;
  readonly pod: boolean;
  readonly candidate: Candidate;
}

/** @param policies all that are accepted; the namespace must not be excluded */
export function judgeNamespace(
  { name, labels }: Pick<NamespaceView, 'name' | 'labels'>,
  policies: readonly ResolvedPolicy[],
  cluster: Objects,
  court: Court,
): NamespaceJudgement {
  const members = membersOf(name, cluster);
  const modes = MODES.flatMap((mode) => {
    const parties = deciding(policies, mode, labels);
    return parties.length === 0 ? [] : [[mode, judgeMode(members, parties, court)]];
  });
  return {
    namespace: name,
    modes: Object.fromEntries(modes),
    addedCapabilities: addedCapabilities(members.map(({ candidate }) => candidate.parts)),
  };
}

/** What is judged of a namespace: pods that run, and templates that will make pods. */
export function membersOf(namespace: string, cluster: Objects): Member[] {
  const templates = [...cluster.workloads(namespace)]
    .filter((workload) => isJudged(workload, cluster))
    .map((workload) => ({
      workload: topController(workload.kind, workload, cluster),
      pod: false,
      candidate: templateCandidate(workload),
    }));
  const pods = [...cluster.pods(namespace)]
    .filter(({ mirror, finished }: PodView) => !mirror && !finished)
    .map((pod) => ({ workload: topController('Pod', pod, cluster), pod: true, candidate: podCandidate(pod) }));
  return [...templates, ...pods];
}

/** Whether a workload's own template will make pods: its owner's would be the same, and history makes none. */
function isJudged(workload: WorkloadView, cluster: Objects): boolean {
  const history = workload.kind === 'ReplicaSet' && workload.replicas === 0 && workload.owner !== undefined;
  return !workload.finished && !history && watchedOwner(workload, cluster) === undefined;
}

function judgeMode(members: readonly Member[], policies: readonly ResolvedPolicy[], court: Court): ModeJudgement {
  const judged = members.map((member) => ({ ...member, ...judge(member.candidate, policies, court) }));
  const groups = Map.groupBy(judged, ({ workload }) => `${workload.kind}/${workload.name}`);
  return {
    deciding: policies.map(({ name }) => name),
    workloads: [...groups.values()].map(mergeMembers).sort(byKindAndName),
  };
}

function mergeMembers(members: readonly (Member & Judgement)[]): WorkloadJudgement {
  const [{ workload }] = members as [Member & Judgement];
  const verdict = (['Violating', 'Unknown'] as const).find((bad) => members.some((one) => one.verdict === bad));
  return {
    ...workload,
    verdict: verdict ?? 'Compliant',
    pods: members.filter((member) => member.pod && member.verdict === 'Violating').length,
    // What is merely unknown of a workload that violates would blur what there is to repair.
    violations: verdict ? mergeViolations(members.filter((member) => member.verdict === verdict)) : NO_VIOLATIONS,
  };
}

function mergeViolations(judgements: readonly Judgement[]): Record<string, readonly Violation[]> {
  const policies = [...new Set(judgements.flatMap(({ violations }) => Object.keys(violations)))].sort();
  return Object.fromEntries(
    policies.map((policy) => [policy, eachOnce(judgements.map(({ violations }) => violationsBy(policy, violations)))]),
  );
}

/** Of equal pods there is one list, which all workloads like it can hold. */
function eachOnce(lists: readonly (readonly Violation[])[]): readonly Violation[] {
  const [list = [], ...others] = new Set(lists);
  const all = others.length === 0 ? list : [list, ...others].flat();
  const distinct = new Map(all.map((one) => [`${one.rule}\n${one.container}\n${one.message}`, one]));
  return distinct.size === list.length && others.length === 0 ? list : [...distinct.values()];
}

function addedCapabilities(pods: readonly PodParts[]): string[] {
  const added = new Set<string>();
  for (const { spec } of pods) {
    for (const container of [spec.initContainers, spec.containers, spec.ephemeralContainers].flatMap(
      (list) => list ?? [],
    )) {
      const { securityContext } = container as { securityContext?: { capabilities?: { add?: readonly string[] } } };
      for (const capability of securityContext?.capabilities?.add ?? []) added.add(capability);
    }
  }
  return [...added].sort();
}

function byKindAndName(a: WorkloadName, b: WorkloadName): number {
  if (a.kind !== b.kind) return a.kind < b.kind ? -1 : 1;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
