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
import type { LabelConflict, LabelOutcome, LabelRefusal } from '../apply/outcome.ts';
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

/**
 * Makes the Events about a namespace with a label of another owner, or with a label that the API server refuses. Each
 * new conflict has one Event, and so has each refusal of other labels than before. An Event about a refusal is the only
 * report if no policy is left, for example after the deletion of the policy whose label cannot be removed.
 */
export function namespaceEvents(
  { name, uid }: Pick<NamespaceView, 'name' | 'uid'>,
  before: LabelOutcome | undefined,
  next: LabelOutcome,
  origin: Origin,
): KubernetesEvent[] {
  const known = new Set(before?.conflicts.map((conflict) => describeConflict(conflict, name)));
  const conflicts = next.conflicts
    .filter((conflict) => !known.has(describeConflict(conflict, name)))
    .map((conflict) => eventFor(conflictHappening(name, uid, conflict), { ...origin, occasion: '' }));
  const isKnown = !next.refusal || refusedWrites(next.refusal) === (before?.refusal && refusedWrites(before.refusal));
  return isKnown ? conflicts : [...conflicts, refusalEvent(name, uid, next.refusal, origin)];
}

function refusalEvent(name: string, uid: string, refusal: LabelRefusal, origin: Origin): KubernetesEvent {
  const happening: Happening = {
    regarding: regardingNamespace({ name, uid }),
    type: 'Warning',
    reason: reasons.WRITE_REFUSED,
    action: 'Label',
    note: `${refusedWrites(refusal)}: ${refusal.message.replaceAll(/\s+/g, ' ')}`,
  };
  return eventFor(happening, { ...origin, occasion: '' });
}

function refusedWrites({ set, remove }: LabelRefusal): string {
  return [
    ...set.map((label) => `label ${label} cannot be set`),
    ...remove.map((label) => `label ${label} cannot be removed`),
  ].join(', ');
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

/** Makes the Event about an object, or a row of a program, that a deleted or changed policy left in the cluster. */
export function unremovedEvent(
  { apiVersion, kind, metadata: { name } }: { apiVersion: string; kind: string; metadata: { readonly name: string } },
  error: Error,
  origin: Origin,
): KubernetesEvent {
  const happening: Happening = {
    regarding: { apiVersion, kind, name },
    type: 'Warning',
    reason: reasons.APPLY_FAILED,
    action: 'Apply',
    note: `the API server refuses to remove what a deleted or changed policy left: ${error.message.replaceAll(/\s+/g, ' ')}`,
  };
  return eventFor(happening, { ...origin, occasion: origin.now });
}

/** Makes the Event about a status that the API server refuses. The status in the cluster is then outdated. */
export function statusRefusedEvent(policy: CapabilityPolicy, error: Error, origin: Origin): KubernetesEvent {
  const note = `the API server refuses the status, so the status is outdated: ${error.message.replaceAll(/\s+/g, ' ')}`;
  const happening: Happening = {
    regarding: regardingPolicy(policy),
    type: 'Warning',
    reason: reasons.APPLY_FAILED,
    action: 'Report',
    note,
  };
  return eventFor(happening, { ...origin, occasion: '' });
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
  const failed = next.reason === reasons.APPLY_FAILED || next.reason === reasons.PROBE_REFUSED;
  if (next.status === 'False' && !failed && before?.status !== 'True') return [];
  return [{ type: failed ? 'Warning' : 'Normal', reason: next.reason, action: 'Apply', note: next.message }];
}

function labelHappenings(before: Condition | undefined, next: Condition | undefined): Unaddressed[] {
  if (!next || before) return [];
  return [{ type: 'Warning', reason: next.reason, action: 'Label', note: next.message }];
}

/** The Event on the operator's namespace about storage of the API servers that went back to an earlier revision. */
export function wentBackEvent(
  namespace: Pick<NamespaceView, 'name' | 'uid'>,
  { seen, found }: { readonly seen: string; readonly found: string },
  origin: Omit<EventOrigin, 'occasion'>,
): KubernetesEvent {
  const happening: Happening = {
    regarding: regardingNamespace(namespace),
    type: 'Warning',
    reason: reasons.STORAGE_WENT_BACK,
    action: 'Read',
    note:
      `the cluster's storage went back from resourceVersion ${seen} to ${found}, as after a restore of etcd without ` +
      '--bump-revision; the operator reads and proves everything again. Restart the other controllers and kubelets',
  };
  return eventFor(happening, { ...origin, occasion: origin.now });
}

function conflictHappening(name: string, uid: string, conflict: LabelConflict): Happening {
  return {
    regarding: regardingNamespace({ name, uid }),
    type: 'Warning',
    reason: reasons.FOREIGN_LABEL,
    action: 'Label',
    note: `${describeConflict(conflict, name)}; the operator does not change the label: to let the operator manage the label, remove it`,
  };
}

function condition({ conditions = [] }: CapabilityPolicyStatus, type: string): Condition | undefined {
  return conditions.find((one) => one.type === type);
}

export function regardingPolicy({ metadata }: CapabilityPolicy): Regarding {
  const { name = '', uid } = metadata ?? {};
  return { apiVersion: `${GROUP}/${VERSION}`, kind: KIND, name, ...(uid && { uid }) };
}
