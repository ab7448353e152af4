/** Merges the verdicts of one mode on a workload's pods and template. The result is the workload's verdict. */
import type { Owner } from '../model/objects.ts';
import { perList, perObject } from '../policy/memo.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import type { Member } from './members.ts';
import {
  COST_RULE,
  type EvaluationContext,
  evaluating,
  NO_VIOLATIONS,
  type PodVerdict,
  type Verdict,
  violationsBy,
} from './verdict.ts';
import type { Violation } from './violations.ts';
import type { Top, WorkloadName } from './workloads.ts';

export interface WorkloadVerdict extends WorkloadName {
  /** The owner reference to the workload, if the workload is a custom resource. */
  readonly custom?: Owner;
  /** The worst verdict on the workload's template and its pods. */
  readonly verdict: Verdict;
  /** The number of the workload's pods that violate a policy now. */
  readonly pods: number;
  /**
   * If the value is true, the workload's own template complies, and only pods or templates of an older revision violate
   * a policy.
   */
  readonly templateComplies?: true;
  /**
   * The Enforce policy that admits the workload. The workload violates policies of mode Audit or Warn. If the
   * violated policies were enforced, the Enforce policy would still admit the workload.
   */
  readonly admittedBy?: string;
  /** The violations without duplicates. The map is empty if the verdict is Compliant. The key is the policy's name. */
  readonly violations: Readonly<Record<string, readonly Violation[]>>;
}

/** A workload with the objects to evaluate. */
export interface Group extends Top {
  readonly members: readonly Member[];
}

/** Groups members by workload. The groups are sorted by kind and name of the workload. */
export function groupsOf(members: readonly Member[]): Group[] {
  const byWorkload = Map.groupBy(members, ({ workload }) => `${workload.kind}/${workload.name}`);
  const groups = [...byWorkload.values()].map((ofWorkload): Group => {
    const [{ workload, custom }] = ofWorkload as [Member];
    return { workload, ...(custom && { custom }), members: ofWorkload };
  });
  return groups.sort((a, b) => byKindAndName(a.workload, b.workload));
}

/** Yields the verdicts of one mode. Each workload has one verdict. */
export function* evaluatingWorkloads(
  groups: readonly Group[],
  policies: readonly ResolvedPolicy[],
  evaluation: EvaluationContext,
): Generator<void, WorkloadVerdict[]> {
  const evaluated: WorkloadVerdict[] = [];
  for (const group of groups)
    evaluated.push(mergeMembers(group, yield* evaluatingMembers(group, policies, evaluation)));
  return evaluated;
}

/** Returns the verdicts of one mode on the members of a group, in the order of the members. */
export function* evaluatingMembers(
  { members }: Group,
  policies: readonly ResolvedPolicy[],
  evaluation: EvaluationContext,
): Generator<void, readonly PodVerdict[]> {
  const verdicts: PodVerdict[] = [];
  for (const { candidate } of members) verdicts.push(yield* evaluating(candidate, policies, evaluation));
  // If all results come from the cache, the loop above does not yield to other work.
  yield;
  return verdicts;
}

/**
 * @param admittedBy the Enforce policy that admits the workload. The value is absent if the policies of the mode have a
 * higher priority
 */
export function mergeMembers(
  { workload: { kind, namespace, name }, custom, members }: Group,
  verdicts: readonly PodVerdict[],
  admittedBy?: string,
): WorkloadVerdict {
  const verdict = (['Violating', 'Unknown'] as const).find((bad) => verdicts.some((one) => one.verdict === bad));
  return {
    kind,
    namespace,
    name,
    ...(custom && { custom }),
    verdict: verdict ?? 'Compliant',
    ...(verdict === 'Violating' && admittedBy !== undefined && { admittedBy }),
    ...(verdict === 'Violating' && templateComplies(members, verdicts) && { templateComplies: true }),
    pods: members.filter(({ pod }, index) => pod && verdicts[index]?.verdict === 'Violating').length,
    // For a violating workload, the function leaves out results with the verdict Unknown. Results with the verdict
    // Unknown would hide the violations to repair.
    violations: verdict ? mergeViolations(verdicts.filter((one) => one.verdict === verdict)) : NO_VIOLATIONS,
  };
}

function templateComplies(members: readonly Member[], verdicts: readonly PodVerdict[]): boolean {
  const own = members.findIndex(({ own, pod }) => own && !pod);
  return verdicts[own]?.verdict === 'Compliant';
}

/** The policy that admits the first member. The result is undefined if some member of the workload is not admitted. */
export function admittedAsAWhole(verdicts: readonly PodVerdict[]): string | undefined {
  return verdicts.every(({ verdict }) => verdict === 'Compliant') ? verdicts[0]?.admittedBy : undefined;
}

type Merged = WorkloadVerdict['violations'];

function mergeViolations(verdicts: readonly PodVerdict[]): Merged {
  const distinct = [...new Set(verdicts)];
  // Many workloads share frozen results. The function therefore caches the merged lists of frozen results.
  return distinct.every(Object.isFrozen) ? mergedBefore(distinct) : merged(distinct);
}

function merged(verdicts: readonly PodVerdict[]): Merged {
  const policies = [...new Set(verdicts.flatMap(({ violations }) => Object.keys(violations)))].sort();
  return Object.fromEntries(
    policies.map((policy) => [policy, eachOnce(verdicts.map(({ violations }) => violationsBy(policy, violations)))]),
  );
}

const mergedBefore: (verdicts: readonly PodVerdict[]) => Merged = perList(merged);

/**
 * Merges lists so that each violation appears once. Equal pods share one list of violations. All workloads with equal
 * pods can refer to the same list.
 */
function eachOnce(lists: readonly (readonly Violation[])[]): readonly Violation[] {
  const [list = [], ...others] = new Set(lists);
  return others.reduce((all, more) => unionWith(all)(more), distinct(list));
}

type Violations = readonly Violation[];

/** In a cluster, the templates and pods of many workloads are equal. */
const distinct = perObject((list: Violations): Violations => {
  const once = new Map(list.map((one) => [`${one.rule}\n${one.container}\n${one.message}`, one]));
  return once.size === list.length ? list : [...once.values()];
});
const unionWith = perObject((all: Violations) => perObject((more: Violations) => distinct([...all, ...more])));

/** Whether the workload's verdict is Unknown because the workload is too expensive to evaluate. */
export function isTooExpensive({ verdict, violations }: WorkloadVerdict): boolean {
  const rules = Object.values(violations).flatMap((broken) => broken.map(({ rule }) => rule));
  return verdict === 'Unknown' && rules.includes(COST_RULE);
}

function byKindAndName(a: WorkloadName, b: WorkloadName): number {
  if (a.kind !== b.kind) return a.kind < b.kind ? -1 : 1;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
