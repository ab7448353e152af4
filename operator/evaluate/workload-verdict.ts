/** Merges the verdicts of one mode on a workload's pods and template. The result is the workload's verdict. */
import type { Owner, PodContent, Refusal } from '../model/objects.ts';
import { perList, perObject } from '../policy/memo.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { type AddedContainer, addedContainers } from './injected.ts';
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
  /** Present if the workload's own template complies: which pods violate a policy. */
  readonly templateComplies?: ViolatingPods;
  /**
   * The containers of violations that violating pods have, and that the template from which the pods were made lacks.
   * Without such containers, the field is absent.
   */
  readonly added?: readonly AddedContainer[];
  /**
   * The Enforce policy that admits the workload. The workload violates policies of mode Audit or Warn. If the
   * violated policies were enforced, the Enforce policy would still admit the workload.
   */
  readonly admittedBy?: string;
  /**
   * `Now` means that an API server refuses the workload's pods. `ByOthers` means that other policies than the evaluated
   * ones refused them: the policies before the last change, if no controller has tried again, or the policies of the
   * cluster, if the evaluated policies are not in the cluster. Absent in other modes than Enforce.
   */
  readonly refused?: 'Now' | 'ByOthers';
  /** The violations without duplicates. The map is empty if the verdict is Compliant. The key is the policy's name. */
  readonly violations: Readonly<Record<string, readonly Violation[]>>;
}

/**
 * The violating pods of a workload whose own template complies. Older: pods or templates of an older revision. Changed:
 * pods of a template that complies, so something changes them when they are created or later. Unclear: it is unknown from
 * which template the pods were made, or there are pods of both kinds.
 */
export type ViolatingPods = 'Older' | 'Changed' | 'Unclear';

/** A workload with the objects to evaluate. */
export interface Group extends Top {
  readonly members: readonly Member[];
  /** The last refusal of a pod. */
  readonly refusal?: Refusal;
}

/** Groups members by workload. The groups are sorted by kind and name of the workload. */
export function groupsOf(members: readonly Member[]): Group[] {
  const byWorkload = Map.groupBy(members, ({ workload }) => `${workload.kind}/${workload.name}`);
  const groups = [...byWorkload.values()].map((ofWorkload): Group => {
    const [{ workload, custom }] = ofWorkload as [Member];
    const refusal = lastRefusal(ofWorkload);
    return { workload, ...(custom && { custom }), members: ofWorkload, ...(refusal && { refusal }) };
  });
  return groups.sort((a, b) => byKindAndName(a.workload, b.workload));
}

function lastRefusal(members: readonly Member[]): Refusal | undefined {
  let last: Refusal | undefined;
  for (const { refusal } of members) if (refusal && refusal.at >= (last?.at ?? 0)) last = refusal;
  return last;
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
  const added = verdict === 'Violating' ? addedIn(members, verdicts) : [];
  return {
    kind,
    namespace,
    name,
    ...(custom && { custom }),
    verdict: verdict ?? 'Compliant',
    ...(verdict === 'Violating' && admittedBy !== undefined && { admittedBy }),
    ...(verdict === 'Violating' &&
      templateComplies(members, verdicts) && { templateComplies: violatingPods(members, verdicts) }),
    ...(added.length > 0 && { added }),
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

function violatingPods(members: readonly Member[], verdicts: readonly PodVerdict[]): ViolatingPods {
  const verdictOn = new Map<PodContent, PodVerdict['verdict'] | undefined>();
  for (const [index, { pod, candidate }] of members.entries())
    if (!pod) verdictOn.set(candidate.content, verdicts[index]?.verdict);
  const kinds = members.flatMap(({ pod, source }, index): ViolatingPods[] => {
    if (verdicts[index]?.verdict !== 'Violating') return [];
    // A template that violates is not the workload's own template.
    if (!pod || source === 'Older') return ['Older'];
    const made = source && verdictOn.get(source);
    return [made === 'Violating' ? 'Older' : made === 'Compliant' ? 'Changed' : 'Unclear'];
  });
  const [kind = 'Unclear', ...others] = new Set(kinds);
  return others.length > 0 ? 'Unclear' : kind;
}

/** The added containers of violating pods, as long as some violation is about them. Each container is listed once. */
function addedIn(members: readonly Member[], verdicts: readonly PodVerdict[]): AddedContainer[] {
  const found = new Map<string, AddedContainer>();
  for (const [index, { candidate, source }] of members.entries()) {
    const one = verdicts[index];
    if (one?.verdict !== 'Violating' || source === undefined || source === 'Older') continue;
    const added = addedContainers(candidate.content.spec, source.spec);
    if (added.length === 0) continue;
    const named = new Set(Object.values(one.violations).flatMap((broken) => broken.map(({ container }) => container)));
    for (const container of added) if (named.has(container.name)) found.set(container.name, container);
  }
  return [...found.values()];
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
