/** A namespace's pods and templates → verdicts by workload, separately for each mode. */
import type { Mode } from '../api/capability-policy.ts';
import type { Cluster, NamespaceView, Owner, PodParts, PodView, WorkloadView } from '../model/objects.ts';
import { deciding, MODES } from '../policy/deciding.ts';
import { lastOf } from '../policy/pieces.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import {
  type Candidate,
  type Court,
  type Judgement,
  judging,
  NO_VIOLATIONS,
  podCandidate,
  templateCandidate,
  type Verdict,
  violationsBy,
} from './verdict.ts';
import type { Violation } from './violations.ts';
import { type Top, topController, type WorkloadName, watchedOwner } from './workloads.ts';

export interface NamespaceJudgement {
  readonly namespace: string;
  /** Only the modes in which some policy decides. */
  readonly modes: Partial<Readonly<Record<Mode, ModeJudgement>>>;
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

export interface WorkloadJudgement extends WorkloadName {
  /** The owner reference that names it, for a custom resource. */
  readonly custom?: Owner;
  /** The worst of its template's and its pods' verdicts. */
  readonly verdict: Verdict;
  /** How many of its pods violate now. */
  readonly pods: number;
  /**
   * For a workload that violates in mode Audit or Warn: the Enforce policy that admits it, and would still admit it if
   * the violated policies were enforced.
   */
  readonly admittedBy?: string;
  /** The reasons, by policy, each violation once; empty when Compliant. */
  readonly violations: Readonly<Record<string, readonly Violation[]>>;
}

type Objects = Pick<Cluster, 'pods' | 'workloads' | 'workload'>;

/** A pod or template of a workload. */
interface Member extends Top {
  readonly pod: boolean;
  readonly candidate: Candidate;
}

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

/** Like judgeNamespace(), but in pieces. Reads the namespace's pods and workloads once, at the start. */
export function* judgingNamespace(
  { name, labels }: Judged,
  policies: readonly ResolvedPolicy[],
  cluster: Objects,
  court: Court,
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
  const pods = members.map(({ candidate }) => candidate.parts);
  return {
    namespace: name,
    modes,
    addedCapabilities: addedCapabilities(pods),
    addedInUserNamespaces: addedCapabilities(pods.filter(({ spec }) => spec.hostUsers === false)),
  };
}

/** The judged objects of a namespace: running pods, and templates that will make pods. */
export function membersOf(namespace: string, cluster: Objects): Member[] {
  const templates = [...cluster.workloads(namespace)]
    .filter((workload) => isJudged(workload, cluster))
    .map((workload) => ({
      ...topController(workload.kind, workload, cluster),
      pod: false,
      candidate: templateCandidate(workload),
    }));
  const pods = [...cluster.pods(namespace)]
    .filter(({ mirror, finished }: PodView) => !mirror && !finished)
    .map((pod) => ({ ...topController('Pod', pod, cluster), pod: true, candidate: podCandidate(pod) }));
  return [...templates, ...pods];
}

/**
 * Whether a workload's own template will make pods: a template with an owner repeats the owner's, and old revisions
 * make none.
 */
function isJudged(workload: WorkloadView, cluster: Objects): boolean {
  const history = workload.kind === 'ReplicaSet' && workload.replicas === 0 && workload.owner !== undefined;
  return !workload.finished && !history && watchedOwner(workload, cluster) === undefined;
}

type JudgedMember = Member & Judgement;
/** Sorted by kind and name of the workload. */
type Groups = ReadonlyMap<string, readonly JudgedMember[]>;

interface Enforced {
  readonly priority: number;
  readonly groups: Groups;
}

const NONE: Groups = new Map();

function* judgingMode(
  members: readonly Member[],
  policies: readonly ResolvedPolicy[],
  court: Court,
): Generator<void, Groups> {
  const judged: JudgedMember[] = [];
  for (const member of members) judged.push({ ...member, ...(yield* judging(member.candidate, policies, court)) });
  return Map.groupBy(judged, ({ workload }) => `${workload.kind}/${workload.name}`);
}

/** @param enforced the same workload's members under the Enforce policies, if these would still decide */
function mergeMembers(members: readonly JudgedMember[], enforced: readonly JudgedMember[] = []): WorkloadJudgement {
  const [{ workload, custom }] = members as [JudgedMember];
  const verdict = (['Violating', 'Unknown'] as const).find((bad) => members.some((one) => one.verdict === bad));
  const admittedBy = verdict === 'Violating' ? admittedAsAWhole(enforced) : undefined;
  return {
    ...workload,
    ...(custom && { custom }),
    verdict: verdict ?? 'Compliant',
    ...(admittedBy !== undefined && { admittedBy }),
    pods: members.filter((member) => member.pod && member.verdict === 'Violating').length,
    // For a workload that violates, unknown results would hide what there is to repair.
    violations: verdict ? mergeViolations(members.filter((member) => member.verdict === verdict)) : NO_VIOLATIONS,
  };
}

function admittedAsAWhole(members: readonly JudgedMember[]): string | undefined {
  return members.every(({ verdict }) => verdict === 'Compliant') ? members[0]?.admittedBy : undefined;
}

function mergeViolations(judgements: readonly Judgement[]): Record<string, readonly Violation[]> {
  const policies = [...new Set(judgements.flatMap(({ violations }) => Object.keys(violations)))].sort();
  return Object.fromEntries(
    policies.map((policy) => [policy, eachOnce(judgements.map(({ violations }) => violationsBy(policy, violations)))]),
  );
}

/** Equal pods share one list, which all workloads with such pods can refer to. */
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
