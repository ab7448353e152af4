/** Finds the grants that are no longer needed, or that are needed again, in another snapshot. */
import { type GrantNeeds, grantNeeds, outermost } from '../../operator/evaluate/grant-needs.ts';
import { type Grant, keyOf, withSince } from '../../operator/evaluate/grants.ts';
import { perObject } from '../../operator/policy/memo.ts';
import { policyNames } from './exceptions.ts';
import type { Moment } from './moment.ts';

/**
 * A grant of a policy. From the time `since` on, no workload needed the grant. `since` is absent if the operator did
 * not report the time.
 */
export type PolicyGrant = { readonly policy: string } & Grant & { readonly since?: string };

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
