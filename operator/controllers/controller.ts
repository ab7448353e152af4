/** What all controllers have in common. */
import type { ApiClient } from '../cluster/client.ts';
import type { Cluster } from '../model/objects.ts';
import type { EventRecorder } from '../report/recorder.ts';
import type { Log } from '../runtime/log.ts';
import type { ClusterState, Found, StateChange } from './cluster-state.ts';

/** The name of a namespace or of a policy; where a controller's work cannot be divided, one word for all of it. */
export type Key = string;

/** Lives as long as a leader's term. */
export interface Controller {
  /** As metrics and the log have it. */
  readonly name: string;
  /** How many keys it works on at a time; 1 by default. */
  readonly concurrency?: number;
  /** The keys that a change makes dirty. */
  keysFor(change: StateChange): Iterable<Key>;
  /** How many milliseconds a key has to wait for more changes, or until it has cooled down; 0 by default. */
  delay?(key: Key, change: StateChange): number;
  /**
   * Does what is to be done for a key as the cluster is now.
   *
   * @param again asks for the key once more after so many milliseconds
   * @throws what keeps it from that: the key comes back later
   */
  reconcile(key: Key, again: (ms: number) => void): Promise<void>;
}

export interface Context {
  readonly client: ApiClient;
  readonly cluster: Cluster;
  readonly state: ClusterState;
  readonly recorder: EventRecorder;
  readonly log: Log;
  /** Which operator speaks in Events: the pod's name. */
  readonly instance: string;
  readonly operatorNamespace: string;
  /** Aborted at the end of the term. */
  readonly signal: AbortSignal;
  /** To be called after what was found is in `state.findings`. */
  found(found: Omit<Found, 'of'>): void;
}

export function originOf({ instance }: Pick<Context, 'instance'>) {
  return { reportingInstance: instance, now: new Date().toISOString() };
}
