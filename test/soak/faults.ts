/** Defines the faults between a client and an API server, and their effects on the client. */
import type { Random } from '../support/random.ts';

export interface Asked {
  readonly method: string;
  /** The path of the request, with the query. */
  readonly url: string;
}

/** The answers of the proxy to requests that the proxy does not forward to the API server. */
const REFUSALS = {
  throttled: { code: 429, reason: 'TooManyRequests', message: 'too many requests, please try again later' },
  broken: { code: 500, reason: 'InternalError', message: 'an error on the server has prevented the request' },
  conflicting: { code: 409, reason: 'Conflict', message: 'the object has been modified' },
  expired: { code: 410, reason: 'Expired', message: 'too old resource version' },
} as const;

/** The faults in the answer to a request that the API server has executed. */
const MISHAPS = ['late', 'lost', 'truncated'] as const;
/**
 * The faults of a running watch. The fault `ended` ends the watch without an error, but in the middle of a line.
 */
const WATCH_FAULTS = ['cut', 'ended', 'outdated'] as const;

export type Refusal = keyof typeof REFUSALS;
export type Mishap = (typeof MISHAPS)[number];
type WatchFault = (typeof WATCH_FAULTS)[number];
/**
 * The name of a fault. With `reset`, the connection is closed before the API server receives the request. With
 * `silent`, a watch stays open without events (FaultProxy.silence).
 */
type Fault = 'reset' | 'silent' | Refusal | Mishap | WatchFault;

export const FAULTS: readonly Fault[] = [
  'reset',
  'silent',
  ...(Object.keys(REFUSALS) as Refusal[]),
  ...MISHAPS,
  ...WATCH_FAULTS,
];

/**
 * The percentage of requests that get a fault. The percentage is higher for watches, because watches are less frequent
 * than other requests.
 */
const PERCENT = 4;
const PERCENT_OF_WATCHES = 20;

/** The number of times that each fault happened. */
export type Met = Record<Fault, number>;

/**
 * Chooses a fault for some requests. If several faults are possible for a request, the proxy chooses the fault that has
 * happened least often.
 */
export function chooseFault(asked: Asked, random: Random, met: Met): Refusal | Mishap | 'reset' | undefined {
  const watch = isWatch(asked);
  if (random.int(100) >= (watch ? PERCENT_OF_WATCHES : PERCENT)) return undefined;
  const fitting = [
    'reset',
    'throttled',
    'broken',
    ...(asked.method === 'GET' ? [] : (['conflicting'] as const)),
    ...(goesOn(asked) ? (['expired'] as const) : []),
    ...(watch ? [] : MISHAPS),
  ] as const;
  return leastMet(fitting, met);
}

export function chooseWatchFault(met: Met): WatchFault {
  return leastMet(WATCH_FAULTS, met);
}

function leastMet<One extends Fault>(faults: readonly One[], met: Met): One {
  return faults.reduce((least, one) => (met[one] < met[least] ? one : least));
}

export function isRefusal(fault: Fault): fault is Refusal {
  return fault in REFUSALS;
}

export function isWatch({ url }: Asked): boolean {
  return /[?&]watch=true/.test(url);
}

/** Whether the request changes an object permanently. Writes of Leases and Events do not count as writes. */
export function isWrite({ method, url }: Asked): boolean {
  return method !== 'GET' && !/[?&]dryRun=|\/(leases|events|subjectaccessreviews|selfsubjectaccessreviews)\b/.test(url);
}

/** Whether the request is a watch from a known resourceVersion, or a request for the next page of a list. */
export function goesOn({ url }: Asked): boolean {
  return /[?&](resourceVersion|continue)=/.test(url);
}

/** Whether the request reads all objects of a collection. The request is a list, or a watch that begins with a list. */
export function lists(asked: Asked): boolean {
  return asked.method === 'GET' && !goesOn(asked);
}

/** The collection that is listed or watched. */
export function collectionOf({ url }: Asked): string {
  const { pathname, searchParams } = new URL(url, 'http://proxy');
  return `${pathname} ${searchParams.get('labelSelector') ?? ''}`;
}

export function refusalCode(refusal: Refusal): number {
  return REFUSALS[refusal].code;
}

/** A metav1.Status in the form that an API server would send. */
export function refusalStatus(refusal: Refusal): object {
  const { code, reason, message } = REFUSALS[refusal];
  return { apiVersion: 'v1', kind: 'Status', status: 'Failure', code, reason, message: `${message} (injected)` };
}

/** The last line of a watch with an outdated resourceVersion. */
export const OUTDATED_EVENT = `${JSON.stringify({ type: 'ERROR', object: refusalStatus('expired') })}\n`;
