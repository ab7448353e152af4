/**
 * Finds the exceptions of a cluster. Also finds the exceptions that are new, ended, unused or needed again in another
 * snapshot.
 */
import type { Mode, UsableBy } from '../../operator/api/capability-policy.ts';
import { type GrantNeeds, grantNeeds, outermost } from '../../operator/evaluate/grant-needs.ts';
import { type Grant, keyOf, withSince } from '../../operator/evaluate/grants.ts';
import { perObject } from '../../operator/policy/memo.ts';
import type { Moment } from './moment.ts';

/**
 * The reason why a policy is an exception. AdmitsMore: in each namespace where the policy decides, the policy admits
 * more than another deciding policy. RestrictedUse: only some users may use the policy. Expires: the policy has
 * `spec.expires`.
 */
export type ExceptionReason = 'AdmitsMore' | 'RestrictedUse' | 'Expires';

export interface Exception {
  readonly policy: string;
  readonly why: readonly ExceptionReason[];
  readonly mode: Mode;
  readonly usableBy: UsableBy;
  /** The namespaces where the policy decides, sorted by name. */
  readonly namespaces: readonly string[];
  /** spec.expires */
  readonly expires?: string;
  /** spec.reason */
  readonly reason?: string;
}

/**
 * How an exception began. Changed: the policy existed in the old snapshot, but was no exception. Renewed: the policy
 * had expired.
 */
export type NewException = Exception & { readonly because: 'Created' | 'Renewed' | 'Changed' };

/** How an exception ended. Changed: the policy exists in the new snapshot, but is no exception any more. */
export type EndedException = Exception & { readonly because: 'Deleted' | 'Expired' | 'Changed' };

/**
 * A grant of a policy. From the time `since` on, no workload needed the grant. `since` is absent if the operator did
 * not report the time.
 */
export type PolicyGrant = { readonly policy: string } & Grant & { readonly since?: string };

export function newExceptions(old: Moment, now: Moment): NewException[] {
  const words = { Absent: 'Created', Expired: 'Renewed', Changed: 'Changed' } as const;
  return exceptionsOnlyIn(now, old).map((one) => ({ ...one, because: words[absenceOf(one.policy, old)] }));
}

export function endedExceptions(old: Moment, now: Moment): EndedException[] {
  const words = { Absent: 'Deleted', Expired: 'Expired', Changed: 'Changed' } as const;
  return exceptionsOnlyIn(old, now).map((one) => ({ ...one, because: words[absenceOf(one.policy, now)] }));
}

/**
 * The grants that no workload needs now. In the old snapshot, a workload needed the grant, or the grant did not exist.
 */
export function newlyUnused(old: Moment, now: Moment): PolicyGrant[] {
  const before = needsByPolicy(old);
  return [...needsByPolicy(now)].flatMap(([policy, { unneeded }]) => {
    const known = new Set(before.get(policy)?.unneeded.map(keyOf));
    const listed = now.cluster.policy(policy)?.status?.unusedGrants ?? [];
    return outermost(unneeded.filter((grant) => !known.has(keyOf(grant)))).map((grant) => ({
      policy,
      ...withSince(grant, listed),
    }));
  });
}

/** The grants that no workload needed before, and that a workload needs now. */
export function neededAgain(old: Moment, now: Moment): PolicyGrant[] {
  const after = needsByPolicy(now);
  return [...needsByPolicy(old)].flatMap(([policy, { unneeded }]) => {
    const needed = new Set(after.get(policy)?.needed.map(keyOf));
    return outermost(unneeded.filter((grant) => needed.has(keyOf(grant)))).map((grant) => ({ policy, ...grant }));
  });
}

function exceptionsOnlyIn(here: Moment, there: Moment): readonly Exception[] {
  const others = new Set(exceptionsIn(there).map(({ policy }) => policy));
  return exceptionsIn(here).filter(({ policy }) => !others.has(policy));
}

function absenceOf(policy: string, { cluster, state }: Moment): 'Absent' | 'Expired' | 'Changed' {
  if (!cluster.policy(policy)) return 'Absent';
  return state.hasExpired(policy) ? 'Expired' : 'Changed';
}

/** The exceptions that are in force, sorted by name. */
const exceptionsIn = perObject((moment: Moment): readonly Exception[] =>
  policyNames(moment).flatMap((policy) => {
    const accepted = moment.state.acceptedText(policy);
    if (!accepted || moment.state.hasExpired(policy)) return [];
    const { mode, usableBy, expires, reason } = accepted.spec;
    const why: ExceptionReason[] = [
      ...(admitsMore(policy, moment) ? (['AdmitsMore'] as const) : []),
      ...(usableBy === 'Everyone' ? [] : (['RestrictedUse'] as const)),
      ...(expires === undefined ? [] : (['Expires'] as const)),
    ];
    if (why.length === 0) return [];
    const namespaces = moment.state.coverage(policy)?.deciding ?? [];
    return [
      {
        policy,
        why,
        mode,
        usableBy,
        namespaces,
        ...(expires !== undefined && { expires }),
        ...(reason !== undefined && { reason }),
      },
    ];
  }),
);

function admitsMore(policy: string, { state, verdicts }: Moment): boolean {
  const deciding = state.coverage(policy)?.deciding ?? [];
  return deciding.length > 0 && deciding.every((name) => verdicts.get(name)?.needs.get(policy)?.isException);
}

/**
 * For each policy that decides in a namespace, the grants that workloads need, and the grants that no workload needs.
 * The key is the policy's name.
 */
const needsByPolicy = perObject((moment: Moment): ReadonlyMap<string, GrantNeeds> => {
  const { state, verdicts } = moment;
  const all = policyNames(moment).flatMap((policy): [string, GrantNeeds][] => {
    const areas = state.coverage(policy)?.areas ?? [];
    const needs = areas.length > 0 ? grantNeeds(policy, areas, verdicts) : undefined;
    return needs ? [[policy, needs]] : [];
  });
  return new Map(all);
});

function policyNames({ cluster }: Moment): string[] {
  return cluster
    .policies()
    .map(({ metadata }) => metadata?.name ?? '')
    .sort();
}
