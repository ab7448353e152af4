/**
 * Makes the Events about the change from an old state to a new state. If the state has not changed, the function makes
 * no Event.
 */
import { createHash } from 'node:crypto';
import {
  type CapabilityPolicy,
  type CapabilityPolicyStatus,
  type CompletePolicy,
  type Condition,
  GROUP,
  KIND,
  VERSION,
} from '../api/capability-policy.ts';
import type { LabelConflict, LabelOutcome } from '../apply/outcome.ts';
import type { NamespaceView } from '../model/objects.ts';
import {
  type EventOrigin,
  eventFor,
  type Happening,
  type KubernetesEvent,
  type Regarding,
  regardingNamespace,
  type Unaddressed,
} from './events.ts';
import { expiryHappenings } from './expiry.ts';
import { describeConflict } from './label-conflict.ts';
import * as reasons from './reasons.ts';
import { rolloutHappenings } from './rollout-progress-events.ts';
import { type FindIdentity, violationHappenings } from './violation-events.ts';

type Origin = Omit<EventOrigin, 'occasion'>;

/**
 * @param policy the policy with its old status. The names of Events depend on the old status. If the same change of the
 * status occurs again within an hour, the operator therefore does not emit the Events again. An hour is the lifetime of
 * an Event
 */
export function policyEvents(
  policy: CompletePolicy,
  next: CapabilityPolicyStatus,
  findIdentity: FindIdentity,
  origin: Origin,
): KubernetesEvent[] {
  const before = policy.status ?? {};
  const regarding = regardingPolicy(policy);
  const happenings = [
    ...acceptedHappenings(condition(before, 'Accepted'), condition(next, 'Accepted')),
    ...programmedHappenings(condition(before, 'Programmed'), condition(next, 'Programmed')),
    ...labelHappenings(condition(before, 'LabelConflict'), condition(next, 'LabelConflict')),
    ...labelHappenings(condition(before, 'LabelRefused'), condition(next, 'LabelRefused')),
    ...expiryHappenings(condition(before, 'Expired'), condition(next, 'Expired')),
    ...rolloutHappenings(before, next),
  ].map((happening) => ({ ...happening, regarding }));
  const occasion = createHash('sha256').update(JSON.stringify(before)).digest('hex');
  return [...happenings, ...violationHappenings({ regarding, mode: policy.spec.mode }, before, next, findIdentity)].map(
    (happening) => eventFor(happening, { ...origin, occasion }),
  );
}

/** Makes the Events about a namespace with a label of another owner. Each new conflict has one Event. */
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

/** Makes the Event about an object of the operator that somebody modified or deleted. */
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
    note: `${kind} ${name} was modified or deleted out of band; restored`,
    ...(policy ? { regarding: regardingPolicy(policy), related: object } : { regarding: object }),
  };
  return eventFor(happening, { ...origin, occasion: origin.now });
}

function acceptedHappenings(before: Condition | undefined, next: Condition | undefined): Unaddressed[] {
  if (next?.status !== 'False') return [];
  if (before?.status === 'False' && before.reason === next.reason && before.message === next.message) return [];
  return [{ type: 'Warning', reason: next.reason, action: 'Compile', note: next.message }];
}

/**
 * Makes the Events about the condition Programmed. The function makes no Event for a new policy whose objects the
 * operator is about to write. The function makes no Event for a change that the Event about Accepted already reports.
 */
function programmedHappenings(before: Condition | undefined, next: Condition | undefined): Unaddressed[] {
  if (!next || next.reason === reasons.NOT_ACCEPTED || next.reason === reasons.EXPIRED) return [];
  if (before?.status === next.status && before.reason === next.reason) return [];
  const failed = next.reason === reasons.APPLY_FAILED;
  if (next.status === 'False' && !failed && before?.status !== 'True') return [];
  return [{ type: failed ? 'Warning' : 'Normal', reason: next.reason, action: 'Apply', note: next.message }];
}

function labelHappenings(before: Condition | undefined, next: Condition | undefined): Unaddressed[] {
  if (!next || before) return [];
  return [{ type: 'Warning', reason: next.reason, action: 'Label', note: next.message }];
}

function conflictHappening(name: string, uid: string, conflict: LabelConflict): Happening {
  return {
    regarding: regardingNamespace({ name, uid }),
    type: 'Warning',
    reason: reasons.FOREIGN_LABEL,
    action: 'Label',
    note: `${describeConflict(conflict)}; the operator does not change the label: to let the operator manage the label, remove it`,
  };
}

function condition({ conditions = [] }: CapabilityPolicyStatus, type: string): Condition | undefined {
  return conditions.find((one) => one.type === type);
}

export function regardingPolicy({ metadata }: CapabilityPolicy): Regarding {
  const { name = '', uid } = metadata ?? {};
  return { apiVersion: `${GROUP}/${VERSION}`, kind: KIND, name, ...(uid && { uid }) };
}
