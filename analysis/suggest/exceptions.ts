/**
 * Suggests exceptions for the service accounts of workloads. The level of the workloads' namespace refuses these
 * workloads.
 */
import type { CapabilityPolicyOverrides } from '../../operator/api/capability-policy.ts';
import { overridesOf } from '../../operator/api/overrides.ts';
import { MOST_ASKED } from '../../operator/compile/decision.ts';
import type { Evaluator } from '../../operator/evaluate/violations.ts';
import type { WorkloadName } from '../../operator/evaluate/workloads.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import { RULES } from '../../operator/rules/index.ts';
import type { Level, Standard } from '../../operator/standards/level-version.ts';
import { type ByContainer, statedByContainer, withOnly } from './containers.ts';
import { type Draft, merge, ownersOf, withOwnersOf } from './drafts.ts';
import { type Fitting, statedAtPrivileged, statedFor, unfitRules } from './fit.ts';
import { type Need, needsOf, obstaclesOf, type StatedOverride } from './needs.ts';
import { resolvedBy, type StatedContainers } from './stated.ts';
import type { Workload } from './workloads.ts';

/**
 * A policy for some service accounts of a namespace. An exception has the same priority as the namespace's own policy.
 */
export interface Exception {
  /**
   * The level of the exception. If overrides of the namespace's level can admit the workloads, an exception has the
   * namespace's level. If overrides of the namespace's level cannot admit the workloads, the exception has level
   * privileged with overrides that narrow the level.
   */
  readonly level: Level;
  readonly overrides: CapabilityPolicyOverrides;
  /** The overrides of the exception, each as a single value, in the order of the API. */
  readonly stated: readonly StatedOverride[];
  /**
   * Overrides that apply only to the containers that need them. The field is absent if all containers need the
   * overrides. Overrides for single containers are preferred, because they are stricter than overrides for the whole
   * pod.
   */
  readonly byContainer?: ExceptionByContainer;
  /** The workloads that need the exception, sorted by kind and name. */
  readonly workloads: readonly WorkloadName[];
  readonly serviceAccounts: readonly string[];
  /**
   * Whether the exception combines the needs of several workloads. Needs are combined if the API server does not accept
   * one policy for each workload.
   */
  readonly merged: boolean;
  /**
   * Further workloads that run as one of the service accounts. The further workloads may therefore use the exception,
   * too.
   */
  readonly sharing: readonly Sharing[];
  /** The needs that no override of the namespace's level can meet. */
  readonly obstacles: readonly Need[];
}

export interface ExceptionByContainer extends Pick<Exception, 'overrides' | 'stated'> {
  /** The entries for `spec.containers`. */
  readonly containers: readonly (Pick<Exception, 'overrides' | 'stated'> &
    Pick<StatedContainers, 'names' | 'images'>)[];
}

interface Sharing {
  readonly serviceAccount: string;
  readonly workloads: readonly WorkloadName[];
}

interface Members {
  /** All workloads of the namespace. */
  readonly workloads: readonly Workload[];
  /** The workloads that need no exception. */
  readonly ordinary: ReadonlySet<Workload>;
  /** The number of policies with restricted use that already decide in the namespace. */
  readonly restricted?: number;
}

/**
 * Suggests one exception for each different need. If there are more exceptions than the API server accepts, the
 * function merges exceptions.
 */
export function exceptionsFor({ workloads, ordinary, restricted = 0 }: Members, fitting: Fitting): Exception[] {
  const { standard } = fitting;
  const draftOf = (members: readonly Workload[], merged = false): Draft => ({
    ...statementFor(members, fitting),
    ...ownersOf(members),
    merged,
  });
  const single = workloads.filter((workload) => !ordinary.has(workload)).map((workload) => draftOf([workload]));
  const distinct = joinedBy(single, ({ level, stated, serviceAccounts }) => [level, stated, serviceAccounts]);
  const needed = withoutCovered(distinct, standard, fitting.evaluator);
  const drafts = merge(
    joinedBy(needed, ({ level, stated }) => [level, stated]),
    {
      haveRoom: (exceptions) => exceptions.length + restricted <= MOST_ASKED,
      join: (a, b) => draftOf([...a.workloads, ...b.workloads], true),
    },
  );
  const narrowed = drafts.map((draft) => byContainer(draft, fitting));
  return drafts.map((draft, i) => exceptionOf(draft, narrowed[i], workloads, fitting));
}

function byContainer({ level, stated, workloads }: Draft, fitting: Fitting): ByContainer | undefined {
  // If the level is privileged, or if narrowing is requested, the overrides restrict all containers. The overrides
  // therefore cannot be moved to entries for single containers.
  const isForAll = RULES.some((rule) => rule.fit(fitting.standard).isForAll?.(stated));
  if (level === 'privileged' || fitting.narrow || isForAll) return undefined;
  const pods = workloads.flatMap((workload) => workload.pods);
  return statedByContainer(stated, pods, fitting);
}

function statementFor(members: readonly Workload[], fitting: Fitting): Pick<Draft, 'level' | 'stated'> {
  const pods = members.flatMap((workload) => workload.pods);
  const stated = statedFor(pods, fitting);
  const statement = stated
    ? { level: fitting.standard.level, stated }
    : { level: 'privileged' as const, stated: statedAtPrivileged(pods, fitting) };
  // A rule may read the overrides of another rule. Rules that depend on each other may refuse the pods, although each
  // rule by itself admits the pods.
  if (!fitting.base || admits(pods, statement, fitting)) return statement;
  const { base: _, ...plain } = fitting;
  return statementFor(members, plain);
}

function admits(pods: Workload['pods'], draft: Pick<Draft, 'level' | 'stated'>, fitting: Fitting): boolean {
  const policy = policyOf(draft, fitting.standard);
  return pods.every((pod) => fitting.evaluator.violations(pod, policy).length === 0);
}

/** The drafts after all drafts with the same key have been merged. */
function joinedBy(drafts: readonly Draft[], of: (draft: Draft) => unknown): Draft[] {
  const groups = Map.groupBy(drafts, (draft) => JSON.stringify(of(draft)));
  return [...groups.values()].map((equal) => equal.reduce(withOwnersOf));
}

/**
 * The drafts that are not redundant. Draft A is redundant if another draft B has all service accounts of A, and admits
 * all workloads of A.
 */
function withoutCovered(drafts: readonly Draft[], standard: Standard, evaluator: Evaluator): Draft[] {
  const covers = (host: Draft, { workloads, serviceAccounts }: Draft) =>
    serviceAccounts.every((account) => host.serviceAccounts.includes(account)) &&
    workloads.every(({ pods }) =>
      pods.every((pod) => evaluator.violations(pod, policyOf(host, standard)).length === 0),
    );
  let left = [...drafts];
  for (;;) {
    const covered = left.find((draft) => left.some((other) => other !== draft && covers(other, draft)));
    const host = covered && left.find((other) => other !== covered && covers(other, covered));
    if (!covered || !host) return left;
    left = [...left.filter((draft) => draft !== covered && draft !== host), withOwnersOf(host, covered)];
  }
}

function policyOf({ level, stated }: Pick<Draft, 'level' | 'stated'>, standard: Standard): ResolvedPolicy {
  return resolvedBy(stated, { ...standard, level }, 'Subjects', []);
}

function exceptionOf(
  draft: Draft,
  narrowed: ByContainer | undefined,
  all: readonly Workload[],
  fitting: Fitting,
): Exception {
  const { level, stated, workloads, serviceAccounts, merged } = draft;
  const pods = workloads.flatMap((workload) => workload.pods);
  return {
    level,
    overrides: overridesOf(stated),
    stated: needsOf(stated, workloads, fitting),
    ...(narrowed && { byContainer: withNeeds(narrowed, workloads, fitting) }),
    workloads: workloads.map(({ name }) => name),
    serviceAccounts,
    merged,
    sharing: serviceAccounts.flatMap((serviceAccount) => sharingOf(serviceAccount, all, workloads)),
    obstacles: level === 'privileged' ? obstaclesOf(unfitRules(pods, fitting), workloads, fitting) : [],
  };
}

function withNeeds(
  { stated, containers }: ByContainer,
  workloads: readonly Workload[],
  fitting: Fitting,
): ExceptionByContainer {
  return {
    overrides: overridesOf(stated),
    stated: needsOf(stated, workloads, fitting),
    containers: containers.map(({ names, images, stated: own }) => ({
      names,
      ...(images && { images }),
      overrides: overridesOf(own),
      stated: needsOf(own, workloadsOfContainers(names, workloads), fitting),
    })),
  };
}

/** The workloads with split pods. Each resulting pod has only one of the given containers. */
function workloadsOfContainers(names: readonly string[], workloads: readonly Workload[]): Workload[] {
  return workloads.map((workload) => ({
    ...workload,
    pods: workload.pods.flatMap((pod) => names.map((name) => withOnly(name, pod))),
  }));
}

function sharingOf(serviceAccount: string, all: readonly Workload[], own: readonly Workload[]): Sharing[] {
  const others = all.filter((workload) => workload.serviceAccounts.includes(serviceAccount) && !own.includes(workload));
  return others.length > 0 ? [{ serviceAccount, workloads: others.map(({ name }) => name) }] : [];
}
