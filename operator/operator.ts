/**
 * Connects the parts of the operator. An event changes the state, the change makes keys dirty, and each controller
 * works on its keys.
 */
import type { ApiClient } from './cluster/client.ts';
import { Definition } from './cluster/definition.ts';
import { FollowedReports } from './cluster/reports.ts';
import { createCluster, type FollowedCluster } from './cluster/store.ts';
import { ClusterState, type ClusterStateOptions } from './controllers/cluster-state.ts';
import { type Context, type Controller, originOf } from './controllers/controller.ts';
import { Evaluation } from './controllers/evaluation.ts';
import { Events } from './controllers/events.ts';
import { Expiry } from './controllers/expiry.ts';
import { Labels } from './controllers/labels.ts';
import { LeftoverLabels } from './controllers/leftover-labels.ts';
import { PodSecurity } from './controllers/pod-security.ts';
import { Programs } from './controllers/programs.ts';
import { Promotion } from './controllers/promotion.ts';
import { Protection } from './controllers/protection.ts';
import { Reports } from './controllers/reports.ts';
import { Running, type RunningOptions } from './controllers/running.ts';
import type { Cause } from './controllers/state-change.ts';
import { Status } from './controllers/status.ts';
import { Withdrawal } from './controllers/withdrawal.ts';
import { exportPolicies } from './report/policy-metrics.ts';
import { EventRecorder } from './report/recorder.ts';
import { wentBackEvent } from './report/transitions.ts';
import { aborted } from './runtime/aborted.ts';
import type { Metrics, ReflectorObserver } from './runtime/metrics.ts';
import { RateLimit } from './runtime/rate-limit.ts';

interface OperatorOptions extends ClusterStateOptions, RunningOptions {
  /** The name of the operator's pod. Events state this name as the reporting instance. */
  readonly instance: string;
  readonly reflectorObserver?: ReflectorObserver;
}

/**
 * The rate limit for Events: the average number per second, and the maximum number at once. Events have a separate
 * limit, so that no status or label waits for an Event.
 */
const EVENTS_LIMIT = [50, 100] as const;

/** The time in ms for a standby to become the leader and to report a rollback that nobody has reported. */
const REPORT_WENT_BACK_MS = 60_000;

/** The newest resourceVersion that was seen, and the older one that was found `at` a time in ms. */
interface WentBack {
  readonly seen: string;
  readonly found: string;
  readonly at: number;
}

export class Operator {
  readonly #client: ApiClient;
  readonly #options: OperatorOptions;
  readonly #followed: FollowedCluster;
  readonly #reports: FollowedReports;
  readonly #recorder: EventRecorder;
  readonly #state: ClusterState;
  readonly #definition: Definition;
  /**
   * The running controllers. For a standby, the field is undefined. A standby follows the cluster and does nothing
   * else.
   */
  #running: Running | undefined;
  /** Ends the current term early. */
  #term: AbortController | undefined;
  /** The signal that ends the following of the cluster. */
  #following: AbortSignal | undefined;
  /** The last time that everything was read again. */
  #reading: Promise<unknown> | undefined;
  /** The revisions of a rollback that no leader has reported yet. */
  #unreported: WentBack | undefined;
  #synced = false;
  #reportsEnded: Promise<void> | undefined;

  constructor(client: ApiClient, options: OperatorOptions) {
    this.#client = client;
    this.#options = options;
    const { log, reflectorObserver, now } = options;
    const following = {
      onChange: this.#changed,
      log,
      ...(reflectorObserver && { reflectorObserver }),
      ...(now && { now }),
    };
    this.#followed = createCluster(client, { ...following, asksIn: options.operatorNamespace });
    this.#reports = new FollowedReports(following);
    this.#recorder = new EventRecorder(client.apart(new RateLimit(...EVENTS_LIMIT)), {
      onDue: () => this.#changed({ of: 'events' }),
      onFlood: (leftOut) => log.warn('too many Events at once, some were left out', { leftOut }),
    });
    this.#definition = new Definition(client, log);
    const ownerUid = () => this.#definition.uid;
    this.#state = new ClusterState(this.#followed.cluster, { ...options, rollsOut: true, ownerUid });
  }

  readonly #changed = (cause: Cause): void => {
    const change = this.#state.apply(cause);
    this.#running?.enqueue(change);
  };

  /** Returns the controllers, in the order in which a change makes their keys dirty. */
  #controllers(signal: AbortSignal): Controller[] {
    const context: Context = {
      ...this.#options,
      client: this.#client,
      cluster: this.#followed.cluster,
      state: this.#state,
      recorder: this.#recorder,
      signal,
      found: (found) => this.#changed({ of: 'found', ...found }),
    };
    return [
      new Programs(context, this.#followed.answeringServers),
      new Promotion(context, this.#options.operatorNamespace),
      new PodSecurity(context, this.#options.operatorNamespace),
      new Labels(context),
      new LeftoverLabels(context),
      new Evaluation(context),
      // Statuses have a separate rate limit, because enforcement must not wait for statuses.
      new Status({ ...context, client: this.#client.apart() }),
      new Reports(context, this.#reports),
      new Events(context),
      new Expiry(context),
      new Withdrawal(context, this.#followed),
      new Protection(context, this.#followed.answeringServers),
    ];
  }

  /**
   * Does the work of a leader until `signal` is aborted and the running work has ended. Every term starts without any
   * state of an earlier term.
   */
  async lead(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const term = new AbortController();
      this.#term = term;
      await this.#lead(AbortSignal.any([signal, term.signal]));
      // An error only says that `signal` was aborted. The loop then ends.
      if (!signal.aborted) await this.#reading?.catch(() => {});
    }
  }

  /**
   * Reads and proves everything again, because the storage of the API servers went back to an earlier revision. The
   * memory of the operator is from a future that no longer happens. Call this method on a standby, too.
   */
  readonly rolledBack = (seen: string, found: string): void => {
    const { log } = this.#options;
    log.warn('the storage of the API servers went back to an earlier revision, reading everything again', {
      seen,
      found,
    });
    const signal = this.#following;
    if (!signal || signal.aborted) return;
    this.#reading = Promise.all([this.#followed.readAgain(signal), this.#reports.readAgain()]);
    this.#reading.catch(() => {});
    this.#unreported = { seen, found, at: Date.now() };
    if (!this.#running) return;
    this.#reportWentBack();
    this.#term?.abort();
  };

  /**
   * Reports the last rollback, if no leader has. While etcd was away, the leader may have lost its Lease, so that nobody
   * led when the rollback was found. An older rollback was reported by the leader of that time.
   */
  #reportWentBack(): void {
    const { operatorNamespace, instance } = this.#options;
    const wentBack = this.#unreported;
    const namespace = this.#followed.cluster.namespace(operatorNamespace);
    if (!wentBack || !namespace) return;
    this.#unreported = undefined;
    if (Date.now() - wentBack.at > REPORT_WENT_BACK_MS) return;
    this.#recorder.later(wentBackEvent(namespace, wentBack, originOf({ instance, state: this.#state })));
  }

  async #lead(signal: AbortSignal): Promise<void> {
    const beforeAccept = () => this.#definition.read(signal);
    const running = new Running(this.#controllers(signal), this.#state, { ...this.#options, beforeAccept });
    this.#running = running;
    this.#changed({ of: 'term' });
    running.start();
    this.#reportWentBack();
    await aborted(signal);
    this.#running = undefined;
    // After the term, the operator deletes the results, because a standby must not show the results of its last term.
    await running.stop().finally(() => this.#changed({ of: 'term' }));
  }

  /**
   * Follows the cluster until `signal` is aborted. The promise resolves when the operator has read the whole cluster.
   */
  async follow(signal: AbortSignal): Promise<void> {
    this.#following = signal;
    this.#reportsEnded = this.#reports.follow(this.#client, signal);
    await this.#followed.start(signal);
    this.#synced = true;
    this.#options.log.info('watching', { policies: this.#followed.cluster.policies().length });
  }

  /**
   * Reads the whole cluster again. If another operator was the leader, call this method before the next term. The watch
   * of policies may lag. Without reading the cluster again, a new leader would undo changes that its watch has not
   * delivered yet.
   * @throws the signal's reason if the signal is aborted during the read
   */
  async catchUp(signal: AbortSignal): Promise<void> {
    await this.#followed.refresh(signal);
  }

  /** Resolves when the signal was aborted and the operator no longer follows the cluster. */
  async ended(): Promise<void> {
    await Promise.all([this.#followed.ended(), this.#reportsEnded]);
  }

  /** @throws Error until the operator has read the cluster for the first time */
  readonly checkSynced = (): void => {
    if (!this.#synced) throw new Error('the cluster has not been read yet');
  };

  exportMetrics({ registry }: Pick<Metrics, 'registry'>): void {
    exportPolicies(registry, this.#followed.cluster, this.#state.outcomes.verdicts);
  }
}
