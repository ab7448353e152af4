/** The verdicts of a workload's pods and template → the workload's verdict, in one mode. */
import type { Owner } from '../model/objects.ts';
import { perObject } from '../policy/memo.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import type { Member } from './members.ts';
import {
  COST_RULE,
  type Court,
  type Judgement,
  judging,
  NO_VIOLATIONS,
  type Verdict,
  violationsBy,
} from './verdict.ts';
import type { Violation } from './violations.ts';
import type { WorkloadName } from './workloads.ts';

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

type JudgedMember = Member & Judgement;
/** Sorted by kind and name of the workload. */
export type Groups = ReadonlyMap<string, readonly JudgedMember[]>;

/** The verdicts of one mode, by workload. */
export function* judgingWorkloads(
  members: readonly Member[],
  policies: readonly ResolvedPolicy[],
  court: Court,
): Generator<void, WorkloadJudgement[]> {
  const groups = yield* judgingMode(members, policies, court);
  return [...groups.values()].map((group) => mergeMembers(group)).sort(byKindAndName);
}

export function* judgingMode(
  members: readonly Member[],
  policies: readonly ResolvedPolicy[],
  court: Court,
): Generator<void, Groups> {
  const judged: JudgedMember[] = [];
  for (const member of members) judged.push({ ...member, ...(yield* judging(member.candidate, policies, court)) });
  return Map.groupBy(judged, ({ workload }) => `${workload.kind}/${workload.name}`);
}

/** @param enforced the same workload's members under the Enforce policies, if these would still decide */
export function mergeMembers(
  members: readonly JudgedMember[],
  enforced: readonly JudgedMember[] = [],
): WorkloadJudgement {
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
  return others.reduce((all, more) => unionWith(all)(more), distinct(list));
}

type Violations = readonly Violation[];

/** Most workloads of a cluster have a template and pods like those of others. */
const distinct = perObject((list: Violations): Violations => {
  const once = new Map(list.map((one) => [`${one.rule}\n${one.container}\n${one.message}`, one]));
  return once.size === list.length ? list : [...once.values()];
});
const unionWith = perObject((all: Violations) => perObject((more: Violations) => distinct([...all, ...more])));

/** Whether its verdict is unknown because it is too expensive to evaluate. */
export function isTooExpensive({ verdict, violations }: WorkloadJudgement): boolean {
  const rules = Object.values(violations).flatMap((broken) => broken.map(({ rule }) => rule));
  return verdict === 'Unknown' && rules.includes(COST_RULE);
}

export function byKindAndName(a: WorkloadName, b: WorkloadName): number {
  if (a.kind !== b.kind) return a.kind < b.kind ? -1 : 1;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
