/** Finds the grants that are no longer needed, or that are needed again, in another snapshot. */
import type { CompleteSpec } from '../../operator/api/capability-policy.ts';
import { grantNeeds, outermost } from '../../operator/evaluate/grant-needs.ts';
import { type Grant, grantsOf, keyOf, withSince } from '../../operator/evaluate/grants.ts';
import { subjectGrants, WHOLE } from '../../operator/evaluate/namespace-needs.ts';
import { perObject } from '../../operator/policy/memo.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import type { Snapshot, SnapshotPolicy } from '../snapshot/document.ts';
import { exceptionalIn } from './exceptions.ts';
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
  const before = grantsByPolicy(old);
  const isCompared = comparedBetween(old, now);
  return [...grantsByPolicy(now)].flatMap(([policy, { unneeded }]) => {
    const known = before.get(policy);
    const isNews = ({ grant, key }: Keyed) => isCompared(grant) && (!known?.all.has(key) || known.needed.has(key));
    const listed = now.cluster.policy(policy)?.status?.unusedGrants ?? [];
    return outermost(unneeded.filter(isNews).map(({ grant }) => grant)).map((grant) => ({
      policy,
      ...withSince(grant, listed),
    }));
  });
}

/** The grants that no workload needed before, and that a workload needs now. */
export function neededAgain(old: Moment, now: Moment): PolicyGrant[] {
  const after = grantsByPolicy(now);
  const isCompared = comparedBetween(old, now);
  return [...grantsByPolicy(old)].flatMap(([policy, { unneeded }]) => {
    const again = unneeded.filter(({ grant, key }) => isCompared(grant) && after.get(policy)?.needed.has(key));
    return outermost(again.map(({ grant }) => grant)).map((grant) => ({ policy, ...grant }));
  });
}

/**
 * Whether only one of the snapshots contains the users of policies, and at least one policy has restricted use. In this
 * case, the snapshots differ in the pods that a policy with restricted use admits.
 */
export function usersDiffer(old: Snapshot, now: Snapshot): boolean {
  const [before, after] = [old, now].map(({ usersKnown = true }) => usersKnown);
  return before !== after && [old, now].some(({ policies }) => policies.some(hasRestrictedUse));
}

function hasRestrictedUse({ spec, accepted = spec }: SnapshotPolicy): boolean {
  return accepted.usableBy !== 'Everyone';
}

/** Returns a function that takes a grant. The function says whether both snapshots show if workloads need the grant. */
function comparedBetween({ snapshot: old }: Moment, { snapshot: now }: Moment): (grant: Grant) => boolean {
  const dependOnUsers = (path: string) => path === WHOLE || path.startsWith('spec.subjects');
  return usersDiffer(old, now) ? ({ path }) => !dependOnUsers(path) : () => true;
}

/** A grant, and a text that identifies the grant in each snapshot. */
interface Keyed {
  readonly grant: Grant;
  readonly key: string;
}

/** The grants of a policy that is in force. */
interface PolicyGrants {
  /** The keys of all grants. */
  readonly all: ReadonlySet<string>;
  /** The keys of the grants that a workload needs. */
  readonly needed: ReadonlySet<string>;
  /** The grants that no workload needs. If the namespaces of the policy have no workloads, the list is empty. */
  readonly unneeded: readonly Keyed[];
}

/** The key is the policy's name. The map is sorted by name. */
const grantsByPolicy = perObject((moment: Moment): ReadonlyMap<string, PolicyGrants> => {
  const byName = new Map(moment.state.compiled.policies.map((policy) => [policy.name, policy]));
  const sorted = [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return new Map(sorted.map((policy) => [policy.name, grantsIn(moment, policy)]));
});

function grantsIn(moment: Moment, policy: ResolvedPolicy): PolicyGrants {
  const { name, spec } = policy;
  const areas = moment.state.coverage(name)?.areas ?? [];
  const keyed = (grant: Grant): Keyed => ({ grant, key: keyIn(spec, grant) });
  const keys = (grants: readonly Grant[]) => grants.map((grant) => keyIn(spec, grant));
  const decidesNowhere = areas.every(({ namespaces }) => namespaces.length === 0);
  const exceptional = exceptionalIn(name, moment);
  const whole = decidesNowhere || exceptional.length > 0 ? [{ path: WHOLE }] : [];
  const own = [...grantsOf(policy), ...subjectGrants(policy).map(({ grant }) => grant)];
  const hasWorkloads = areas.some(({ mode, namespaces }) =>
    namespaces.some((one) => moment.verdicts.get(one)?.modes[mode]?.workloads.length),
  );
  const needs = hasWorkloads ? grantNeeds(name, areas, moment.verdicts) : undefined;
  // `grantNeeds` finds the need for the whole exception only if the policy is an exception in each of its namespaces.
  const isWholeNeeded = exceptional.some((one) => moment.verdicts.get(one)?.needs.get(name)?.needed.has(WHOLE));
  return {
    all: new Set(keys([...whole, ...own])),
    needed: new Set(keys([...(needs?.needed ?? []), ...(isWholeNeeded ? [{ path: WHOLE }] : [])])),
    unneeded: (needs?.unneeded ?? []).map(keyed),
  };
}

/** Matches the path of an entry in `containers` or `subjects`. The entries of these two lists may change places. */
const ENTRY = /^spec\.(containers|subjects)\[(\d+)\]/;

/** The key of a grant. The key stays the same if the policy lists its containers or subjects in another order. */
function keyIn({ containers = [] }: CompleteSpec, grant: Grant): string {
  const [place, list, index] = ENTRY.exec(grant.path) ?? [];
  if (place === undefined) return keyOf(grant);
  const entry = list === 'subjects' ? '' : selectionText(containers, Number(index));
  return keyOf({ ...grant, path: `spec.${list}[${entry}]${grant.path.slice(place.length)}` });
}

/** The containers that an entry selects, and the number of earlier entries that select the same containers. */
function selectionText(containers: NonNullable<CompleteSpec['containers']>, index: number): string {
  const [own, ...earlier] = containers
    .slice(0, index + 1)
    .reverse()
    .map(({ names = [], images = [] }) => JSON.stringify([names.toSorted(), images.toSorted()]));
  return `${own} ${earlier.filter((one) => one === own).length}`;
}
