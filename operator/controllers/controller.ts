/** The common interface of all controllers. */
import type { ApiClient } from '../cluster/client.ts';
import type { Cluster } from '../model/objects.ts';
import type { EventRecorder } from '../report/recorder.ts';
import type { Log } from '../runtime/log.ts';
import type { ClusterState } from './cluster-state.ts';
import type { Found, StateChange } from './state-change.ts';

/**
 * A key of a controller's queue. The key is the name of a namespace or of a policy. If the work of a controller cannot
 * be divided, the controller has a single constant key.
 */
export type Key = string;

/** A controller of the operator. Each leader's term has a new instance. */
export interface Controller {
  /** The controller's name in metrics and in the log. */
  readonly name: string;
  /** The number of keys that the controller works on in parallel. The default is 1. */
  readonly concurrency?: number;
  /** Returns the keys that a change makes dirty. */
  keysFor(change: StateChange): Iterable<Key>;
  /**
   * Returns the time in ms that a key has to wait. The key waits for more changes, or for the end of its cooldown. The
   * default is 0.
   */
  delay?(key: Key, change: StateChange): number;
  /**
   * Does the work for a key, using the current state of the cluster.
   *
   * @param again requeues the key after the given number of milliseconds
   * @throws an error if the work failed. After the error, the key is requeued
   */
  reconcile(key: Key, again: (ms: number) => void): Promise<void>;
}

export interface Context {
  readonly client: ApiClient;
  readonly cluster: Cluster;
  readonly state: ClusterState;
  readonly recorder: EventRecorder;
  readonly log: Log;
  /** The name of the operator's pod. Events state this name as the reporting instance. */
  readonly instance: string;
  /** A signal that is aborted at the end of the term. */
  readonly signal: AbortSignal;
  /** Call this function after you have stored an outcome in `state.outcomes`. */
  found(found: Omit<Found, 'of'>): void;
}

/**
 * The time of Events and statuses comes from the clock that decides when a policy expires. With a time from another
 * clock, a status might miss the stage that the controller of the expiry has found.
 */
export function originOf({ instance, state }: { instance: string; state: Pick<ClusterState, 'now'> }) {
  return { reportingInstance: instance, now: new Date(state.now()).toISOString() };
}
