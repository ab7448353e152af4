/** Calculates the numbers of the overview. `cappol status` shows the same numbers. */
import { problemsAmong, readiness } from '../../analysis/policies/condition-problems.ts';
import type { Snapshot, SnapshotPolicy } from '../../analysis/snapshot/document.ts';
import type { CapabilityPolicyStatus } from '../../operator/api/capability-policy.ts';
import { parseTime, type Stage, stageOf } from '../../operator/policy/expiry.ts';
import { NOT_ACCEPTED } from '../../operator/report/reasons.ts';
import { capabilitiesInUse, type InUse } from './capabilities-in-use.ts';
import type { Runtime } from './holding.ts';
import { enforcingPolicies, isEvaluated, type NamespaceState, STATES, stateOf } from './namespaces.ts';
import { countViolations, type ViolationCounts } from './violations.ts';

export interface Overview {
  /** The number of namespaces in each state. The value is undefined if pods or namespaces could not be read. */
  readonly namespaces: Readonly<Record<NamespaceState, number>> | undefined;
  /**
   * The counts of violations. If nothing could be evaluated, the counts are undefined. If the counts are undefined, the
   * page shows only the numbers in the policies' statuses.
   */
  readonly violations: ViolationCounts | undefined;
  readonly policies: number;
  /** The names of the policies that are not ready. */
  readonly notReady: readonly string[];
  /** The incomplete rollouts. The list is sorted by the number of namespaces that block each rollout. */
  readonly rollouts: readonly Rollout[];
  readonly remarks: readonly Remark[];
  readonly protection: { readonly status: 'True' | 'False' | 'Unknown'; readonly message: string } | undefined;
  readonly inUse: readonly InUse[];
}

type RolloutStatus = NonNullable<CapabilityPolicyStatus['rollout']>;

export interface Rollout extends Required<Pick<RolloutStatus, 'enforced' | 'soaking' | 'blocked'>> {
  readonly policy: string;
  readonly total: number;
  readonly paused: boolean;
  /** Before its promotion, a namespace must have no violation for this time. */
  readonly soak: string;
  readonly next?: RolloutStatus['next'];
  /** The first blocked namespaces, from the policy's status. */
  readonly blockedNamespaces: NonNullable<RolloutStatus['blockedNamespaces']>;
}

/** A remark about a policy. The policy needs attention. */
export interface Remark {
  readonly policy: string;
  readonly tone: 'critical' | 'warning';
  /** The type of the condition, or the word `Expires`. */
  readonly about: string;
  readonly text: string;
}

export function overviewOf(snapshot: Snapshot, runtime: Runtime): Overview {
  const { policies } = snapshot;
  // If CapabilityPolicy is not installed, the snapshot has levels of the Pod Security Standards as policies. Levels
  // need no operator.
  const installed = snapshot.installed === false ? [] : policies;
  const evaluated = isEvaluated(snapshot);
  return {
    namespaces: evaluated ? namespaceCounts(snapshot) : undefined,
    violations: evaluated ? countViolations(snapshot) : undefined,
    policies: policies.length,
    notReady: installed.filter(({ status }) => readiness(status) !== 'True').map(({ name }) => name),
    rollouts: policies.flatMap(rolloutOf).sort((a, b) => b.blocked - a.blocked || b.soaking - a.soaking),
    remarks: installed.flatMap((policy) => remarksOn(policy, Date.parse(snapshot.taken))),
    protection: protectionOf(policies),
    inUse: capabilitiesInUse(snapshot, runtime),
  };
}

function namespaceCounts(snapshot: Snapshot): Record<NamespaceState, number> {
  const enforcing = enforcingPolicies(snapshot);
  const counts = Object.fromEntries(STATES.map((state) => [state, 0])) as Record<NamespaceState, number>;
  for (const namespace of snapshot.namespaces) counts[stateOf(namespace, enforcing)]++;
  return counts;
}

/** The rollout of a policy. The list is empty if the rollout is complete. A complete rollout needs no attention. */
function rolloutOf({ name, spec, status: { rollout } }: SnapshotPolicy): Rollout[] {
  if (!spec.rollout || !rollout) return [];
  const { enforced = 0, soaking = 0, blocked = 0, next, blockedNamespaces = [] } = rollout;
  if (soaking + blocked === 0) return [];
  const { soak, paused } = spec.rollout;
  const total = enforced + soaking + blocked;
  return [{ policy: name, enforced, soaking, blocked, total, soak, paused, ...(next && { next }), blockedNamespaces }];
}

function remarksOn({ name: policy, spec, status }: SnapshotPolicy, now: number): Remark[] {
  const conditions = status.conditions ?? [];
  // Conditions with the reason NotAccepted are left out. Instead, the page shows the condition Accepted, which is the
  // cause of the other conditions.
  const told = problemsAmong(conditions).filter(({ reason }) => reason !== NOT_ACCEPTED);
  const problems = told.map(
    ({ type, status, reason, message }): Remark => ({
      policy,
      tone: type === 'Accepted' || type === 'Programmed' ? 'critical' : 'warning',
      about: type,
      text: `${type} is ${status} (${reason}): ${message}`,
    }),
  );
  const isTold = problems.some(({ tone }) => tone === 'critical') || readiness(status) === 'True';
  const notReady: Remark = { policy, tone: 'critical', about: 'Ready', text: readyText(status) };
  return [...problems, ...(isTold ? [] : [notReady]), ...expiryRemark(policy, spec.expires, now)];
}

function readyText({ conditions = [] }: CapabilityPolicyStatus): string {
  const ready = conditions.find(({ type }) => type === 'Ready');
  return ready
    ? `Ready is ${ready.status} (${ready.reason}): ${ready.message}`
    : 'The operator has not reported the status of the policy yet. Is the operator running?';
}

const EXPIRY_TEXTS: Readonly<Record<Stage, string | undefined>> = {
  Later: undefined,
  WithinAWeek: 'ends within a week',
  WithinADay: 'ends within a day',
  Expired: 'has ended and counts as deleted',
};

function expiryRemark(policy: string, expires: string | undefined, now: number): Remark[] {
  const end = expires === undefined ? undefined : parseTime(expires);
  const stage = end === undefined ? 'Later' : stageOf(end, now);
  const text = EXPIRY_TEXTS[stage];
  if (text === undefined) return [];
  const tone = stage === 'WithinAWeek' ? 'warning' : 'critical';
  return [{ policy, tone, about: 'Expires', text: `It ${text}: expires at ${expires}` }];
}

/**
 * Whether the objects that enforce policies are protected. The operator reports the protection in the status of every
 * policy.
 */
function protectionOf(policies: readonly SnapshotPolicy[]): Overview['protection'] {
  const conditions = policies.flatMap(({ status }) => status.conditions ?? []);
  const found = conditions.find(({ type }) => type === 'Protected');
  return found && { status: found.status, message: found.message };
}
