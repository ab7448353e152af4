/**
 * Lists the grants of a policy that no workload needs any more. For each grant, the list says since when no workload
 * needs the grant. A grant that no workload has ever needed is listed at once. If workloads stop needing a grant, the
 * grant is listed after a wait. Each time that workloads need the grant again, the next wait is longer. So the status
 * does not change each time that short-lived pods start or end.
 */
import type { CapabilityPolicyStatus } from '../api/capability-policy.ts';
import { type GrantNeeds, outermost } from '../evaluate/grant-needs.ts';
import { type Grant, grantInStatus, keyOf, sameGrant } from '../evaluate/grants.ts';
import { inSeconds } from './conditions.ts';

export type UnusedGrant = NonNullable<CapabilityPolicyStatus['unusedGrants']>[number];

const FIRST_WAIT_MS = 5_000;
const LATER_WAITS = 4;
const MOST_WAIT_MS = 24 * 3_600_000;
const MOST_LISTED = 64;

interface Known {
  /**
   * Workloads stopped needing the grant at this time, in milliseconds since 1970. While a workload needs the grant, the
   * field is undefined.
   */
  readonly freedAt?: number;
  /** The number of times that workloads have stopped needing the grant. */
  readonly times: number;
}

/** The last observation of each grant of a policy. The map's key is the key of the grant. */
export type GrantHistory = ReadonlyMap<string, Known>;

interface Before {
  readonly generation: number;
  readonly status: CapabilityPolicyStatus | undefined;
}

/** @param before the policy's generation and its previous status. A new process starts from this status */
export function nextHistory(
  history: GrantHistory,
  { needed, unneeded }: GrantNeeds,
  before: Before,
  now: number,
): GrantHistory {
  const next = new Map<string, Known>();
  for (const grant of needed) next.set(keyOf(grant), { times: history.get(keyOf(grant))?.times ?? 0 });
  for (const grant of unneeded) {
    const known = history.get(keyOf(grant)) ?? firstKnown(grant, before, now);
    next.set(keyOf(grant), known.freedAt === undefined ? { times: known.times + 1, freedAt: now } : known);
  }
  return next;
}

/**
 * The first observation of a grant in this process. An earlier process may have evaluated workloads by this spec
 * without listing the grant as unused. Such an evaluation means that some workload needed the grant at that time.
 */
function firstKnown(grant: Grant, { generation, status = {} }: Before, now: number): Known {
  const listed = sameGrant(grant, status.unusedGrants ?? []);
  if (listed) return { times: 0, freedAt: Date.parse(listed.since) };
  const wasEvaluated = status.observedGeneration === generation && (status.workloads?.evaluated ?? 0) > 0;
  return wasEvaluated ? { times: 0 } : { times: 0, freedAt: now };
}

/** Makes the list of unused grants for the status. @param unneeded the grants that no workload needs now */
export function listedGrants(unneeded: readonly Grant[], history: GrantHistory, now: number): UnusedGrant[] {
  const listed = unneeded.flatMap((grant): UnusedGrant[] => {
    const { freedAt = now, times = 0 } = history.get(keyOf(grant)) ?? {};
    if (freedAt + waitMs(times) > now) return [];
    return [{ ...grantInStatus(grant), since: inSeconds(new Date(freedAt).toISOString()) }];
  });
  return outermost(listed).slice(0, MOST_LISTED);
}

/** The time in ms until another grant has to be listed. If no grant waits, the result is undefined. */
export function untilListed(unneeded: readonly Grant[], history: GrantHistory, now: number): number | undefined {
  const waits = unneeded.flatMap((grant) => {
    const { freedAt = now, times = 0 } = history.get(keyOf(grant)) ?? {};
    const left = freedAt + waitMs(times) - now;
    return left > 0 ? [left] : [];
  });
  return waits.length === 0 ? undefined : Math.min(...waits);
}

function waitMs(times: number): number {
  return times === 0 ? 0 : Math.min(FIRST_WAIT_MS * LATER_WAITS ** (times - 1), MOST_WAIT_MS);
}
