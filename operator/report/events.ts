/** Makes Event objects of events.k8s.io/v1. */
import { createHash } from 'node:crypto';
import { GROUP } from '../api/capability-policy.ts';
import type { WorkloadName } from '../evaluate/workloads.ts';
import type { Owner } from '../model/objects.ts';
import { workloadKind } from '../model/workload-kinds.ts';
import { bounded } from '../text/printable.ts';

/** The object that an Event is about. Unknown details are left out. */
export interface Regarding {
  readonly apiVersion?: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly uid?: string;
}

export interface Happening {
  readonly regarding: Regarding;
  readonly related?: Regarding;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  /** The action as one word, such as `Apply` or `Evaluate`. */
  readonly action: string;
  readonly note: string;
}

/**
 * The contents of an Event, without the object that the Event is about. Use this type for several Events about one
 * object.
 */
export type Unaddressed = Omit<Happening, 'regarding'>;

export interface EventOrigin {
  /** The name of the operator's pod. This pod reports the Event. */
  readonly reportingInstance: string;
  /** The current time, in ISO 8601 and UTC. */
  readonly now: string;
  /**
   * A string that identifies one occurrence of an event. Every attempt to write the Event of this occurrence uses the
   * same string.
   */
  readonly occasion: string;
}

export interface KubernetesEvent extends Happening {
  readonly apiVersion: 'events.k8s.io/v1';
  readonly kind: 'Event';
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly eventTime: string;
  readonly reportingController: string;
  readonly reportingInstance: string;
  /**
   * The count of a repeated event, and the time of its last occurrence. The field is absent for an event that happened
   * once.
   */
  readonly series?: { readonly count: number; readonly lastObservedTime: string };
}

const NOTE_BYTES = 1024;
const WORD_LENGTH = 128;

/**
 * Makes an Event. The name of the Event depends on the contents of the Event and on `occasion`, but not on the time. If
 * the operator repeats a write, the API server therefore answers that the Event already exists.
 */
export function eventFor(happening: Happening, { reportingInstance, now, occasion }: EventOrigin): KubernetesEvent {
  const { regarding, related, type } = happening;
  const hash = createHash('sha256')
    .update(JSON.stringify([happening, occasion]))
    .digest('hex')
    .slice(0, 16);
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    // The API server requires the namespace `default` for an Event about a cluster-scoped object.
    metadata: { name: `${namePrefix(regarding.name)}.${hash}`, namespace: regarding.namespace ?? 'default' },
    eventTime: inMicroseconds(now),
    reportingController: GROUP,
    reportingInstance: bounded(reportingInstance, WORD_LENGTH),
    action: bounded(happening.action, WORD_LENGTH),
    reason: bounded(happening.reason, WORD_LENGTH),
    type,
    note: withinBytes(happening.note),
    regarding,
    ...(related && { related }),
  };
}

/**
 * The uid of a workload, and the workload's other details if the operator knows these details. The details of a custom
 * resource come from the owner references of its pods.
 */
export type Identity = Pick<Owner, 'uid'> & Partial<Owner>;

export function regardingWorkload({ kind, namespace, name }: WorkloadName, known: Identity | undefined): Regarding {
  if (known?.apiVersion)
    return { apiVersion: known.apiVersion, kind: known.kind ?? kind, namespace, name, uid: known.uid };
  const apiVersion = kind === 'Pod' ? 'v1' : workloadKind(kind)?.apiVersion;
  return {
    ...(apiVersion !== undefined && { apiVersion }),
    kind,
    namespace,
    name,
    ...(known?.uid && { uid: known.uid }),
  };
}

/**
 * Makes the beginning of an Event's name. An Event's name must be a DNS subdomain: at most 253 characters, with labels
 * that do not begin or end with a dash. An Event may be about a role, and the name of a role may have characters that a
 * DNS subdomain cannot have.
 */
function namePrefix(name: string): string {
  const parts = name.slice(0, 200).toLowerCase().split('.');
  const clean = parts.map((part) => part.replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^-|-$/g, ''));
  return clean.filter((part) => part !== '').join('.');
}

/** Shortens the note to the limit of the API server. The API server counts the bytes of a note, not the characters. */
function withinBytes(note: string): string {
  let text = bounded(note, NOTE_BYTES);
  while (Buffer.byteLength(text) > NOTE_BYTES) text = bounded(text, Math.floor(text.length * 0.9));
  return text;
}

/** The time in the format of metav1.MicroTime. */
function inMicroseconds(time: string): string {
  const [, seconds, fraction = ''] = /^(.*?)(?:\.(\d+))?Z$/.exec(time) ?? [];
  return `${seconds}.${fraction.padEnd(6, '0').slice(0, 6)}Z`;
}

export function regardingNamespace({ name, uid }: { readonly name: string; readonly uid: string }): Regarding {
  return { apiVersion: 'v1', kind: 'Namespace', name, uid };
}
