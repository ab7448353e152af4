/** An old and a new state → the Events that the change makes; none when nothing changed. */
import { createHash } from 'node:crypto';
import {
  type CapabilityPolicy,
  type CapabilityPolicyStatus,
  type Condition,
  GROUP,
  KIND,
  VERSION,
} from '../api/capability-policy.ts';
import type { LabelConflict, LabelOutcome } from '../apply/outcome.ts';
import type { NamespaceView } from '../cluster/objects.ts';
import type { WorkloadName } from '../evaluate/workloads.ts';
import { CONTROLLERS } from '../policy/controllers.ts';
import { type EventOrigin, eventFor, type Happening, type KubernetesEvent, type Regarding } from './events.ts';
import { describeConflict } from './label-conflict.ts';
import * as reasons from './reasons.ts';
import { counted, firstOf, workloadText } from './text.ts';

/** Finds the uid of a workload or pod, without which `kubectl describe` does not show an Event. */
export type FindUid = (workload: WorkloadName) => string | undefined;

type Origin = Omit<EventOrigin, 'occasion'>;

const NAMED = 3;

/**
 * @param policy with its old status, which is also the occasion: a change that starts from the same old status, because it
 * is tried again or because it comes back within the hour that an Event lives, is told once
 */
export function policyEvents(
  policy: CapabilityPolicy,
  next: CapabilityPolicyStatus,
  findUid: FindUid,
  origin: Origin,
): KubernetesEvent[] {
  const before = policy.status ?? {};
  const regarding = regardingPolicy(policy);
  const happenings = [
    ...acceptedHappenings(condition(before, 'Accepted'), condition(next, 'Accepted')),
    ...programmedHappenings(condition(before, 'Programmed'), condition(next, 'Programmed')),
    ...labelHappenings(condition(before, 'LabelConflict'), condition(next, 'LabelConflict')),
  ].map((happening) => ({ ...happening, regarding }));
  const occasion = createHash('sha256').update(JSON.stringify(before)).digest('hex');
  return [...happenings, ...violationHappenings(regarding, before, next, findUid)].map((happening) =>
    eventFor(happening, { ...origin, occasion }),
  );
}

/** About a namespace whose label is somebody else's, once for each conflict that was not there before. */
export function namespaceEvents(
  { name, uid }: Pick<NamespaceView, 'name' | 'uid'>,
  before: LabelOutcome | undefined,
  next: LabelOutcome,
  origin: Origin,
): KubernetesEvent[] {
  const known = new Set(before?.conflicts.map(describeConflict));
  return next.conflicts
    .filter((conflict) => !known.has(describeConflict(conflict)))
    .map((conflict) => eventFor(conflictHappening(name, uid, conflict), { ...origin, occasion: '' }));
}

/** About an object of ours that somebody changed or deleted. */
export function repairEvent(
  { kind, name }: { readonly kind: string; readonly name: string },
  policy: CapabilityPolicy | undefined,
  origin: Origin,
): KubernetesEvent {
  const group = kind.startsWith('ClusterRole') ? 'rbac.authorization.k8s.io' : 'admissionregistration.k8s.io';
  const object = { apiVersion: `${group}/v1`, kind, name };
  const happening: Happening = {
    type: 'Warning',
    reason: reasons.DRIFT_REPAIRED,
    action: 'Apply',
    note: `${kind} ${name} was changed or deleted by somebody else, and is as it was`,
    ...(policy ? { regarding: regardingPolicy(policy), related: object } : { regarding: object }),
  };
  return eventFor(happening, { ...origin, occasion: origin.now });
}

type Unaddressed = Omit<Happening, 'regarding'>;

function acceptedHappenings(before: Condition | undefined, next: Condition | undefined): Unaddressed[] {
  if (next?.status !== 'False') return [];
  if (before?.status === 'False' && before.reason === next.reason && before.message === next.message) return [];
  return [{ type: 'Warning', reason: next.reason, action: 'Compile', note: next.message }];
}

/** No news: being about to write a new policy, and what the Event of Accepted tells already. */
function programmedHappenings(before: Condition | undefined, next: Condition | undefined): Unaddressed[] {
  if (!next || next.reason === reasons.NOT_ACCEPTED) return [];
  if (before?.status === next.status && before.reason === next.reason) return [];
  const failed = next.reason === reasons.APPLY_FAILED;
  if (next.status === 'False' && !failed && before?.status !== 'True') return [];
  return [{ type: failed ? 'Warning' : 'Normal', reason: next.reason, action: 'Apply', note: next.message }];
}

function labelHappenings(before: Condition | undefined, next: Condition | undefined): Unaddressed[] {
  if (!next || before) return [];
  return [{ type: 'Warning', reason: next.reason, action: 'Label', note: next.message }];
}

function violationHappenings(
  policy: Regarding,
  before: CapabilityPolicyStatus,
  next: CapabilityPolicyStatus,
  findUid: FindUid,
): Happening[] {
  const [old, now] = [listed(before), listed(next)];
  // What a cut list lacks may violate all the same, and so may what nobody looked at.
  const begun = isWhole(before) ? [...now.keys()].filter((key) => !old.has(key)) : [];
  const ended =
    isWhole(next) && condition(next, 'Compliant')?.status !== 'Unknown'
      ? [...old.keys()].filter((key) => !now.has(key))
      : [];
  return [
    ...happeningsOf(
      policy,
      begun.flatMap((key) => now.get(key) ?? []),
      findUid,
      BEGUN,
    ),
    ...happeningsOf(
      policy,
      ended.flatMap((key) => old.get(key) ?? []),
      findUid,
      ENDED,
    ),
  ];
}

interface Workload extends WorkloadName {
  readonly message: string;
}

interface Turn {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly verb: string;
  readonly tells: (workload: Workload) => string;
}

const BEGUN: Turn = {
  type: 'Warning',
  reason: reasons.WORKLOAD_VIOLATES,
  verb: 'violates',
  tells: ({ message }) => `: ${message}`,
};
const ENDED: Turn = { type: 'Normal', reason: reasons.VIOLATION_ENDED, verb: 'no longer violates', tells: () => '' };

/** One about each workload that is still there, and one about the policy that names the first few. */
function happeningsOf(policy: Regarding, workloads: readonly Workload[], findUid: FindUid, turn: Turn): Happening[] {
  if (workloads.length === 0) return [];
  const { type, reason, verb, tells } = turn;
  const names = firstOf(workloads.map(workloadText), NAMED);
  const subject = workloads.length === 1 ? names : `each of ${counted(workloads.length, 'workload')} (${names})`;
  const common = { type, reason, action: 'Evaluate' };
  const ofWorkloads = workloads.flatMap((workload): Happening[] => {
    const uid = findUid(workload);
    const note = `${verb} CapabilityPolicy ${policy.name}${tells(workload)}`;
    return uid ? [{ ...common, regarding: regardingWorkload(workload, uid), related: policy, note }] : [];
  });
  return [{ ...common, regarding: policy, note: `${subject} ${verb} the policy` }, ...ofWorkloads];
}

function conflictHappening(name: string, uid: string, conflict: LabelConflict): Happening {
  return {
    regarding: { apiVersion: 'v1', kind: 'Namespace', name, uid },
    type: 'Warning',
    reason: reasons.FOREIGN_LABEL,
    action: 'Label',
    note: `${describeConflict(conflict)}; it is left alone, remove it for ours to be set`,
  };
}

/** The violating workloads that a status lists, each with its first message. */
function listed({ violations = [] }: CapabilityPolicyStatus): Map<string, Workload> {
  const workloads = new Map<string, Workload>();
  for (const { verdict, message = '', kind, namespace, name } of violations) {
    const workload = { kind, namespace, name, message };
    const key = workloadText(workload);
    if (verdict === 'Violating' && !workloads.has(key)) workloads.set(key, workload);
  }
  return workloads;
}

function isWhole({ violations = [], violationsTotal = 0 }: CapabilityPolicyStatus): boolean {
  return new Set(violations.map(workloadText)).size === violationsTotal;
}

function condition({ conditions = [] }: CapabilityPolicyStatus, type: string): Condition | undefined {
  return conditions.find((one) => one.type === type);
}

function regardingPolicy({ metadata }: CapabilityPolicy): Regarding {
  const { name = '', uid } = metadata ?? {};
  return { apiVersion: `${GROUP}/${VERSION}`, kind: KIND, name, ...(uid && { uid }) };
}

export function regardingWorkload({ kind, namespace, name }: WorkloadName, uid: string | undefined): Regarding {
  const group = kind === 'Pod' || kind === 'PodTemplate' ? '' : CONTROLLERS.find((one) => one.kind === kind)?.group;
  const apiVersion = group === undefined ? {} : { apiVersion: group === '' ? 'v1' : `${group}/v1` };
  return { ...apiVersion, kind, namespace, name, ...(uid && { uid }) };
}
