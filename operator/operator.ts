/**
 * Connects the parts of the operator. An event changes the state, the change makes keys dirty, and each controller
 * works on its keys.
 */
import type { ApiClient } from './cluster/client.ts';
import { Definition } from './cluster/definition.ts';
import { FollowedReports } from './cluster/reports.ts';
import { createCluster, type FollowedCluster } from './cluster/store.ts';
import { ClusterState, type ClusterStateOptions } from './controllers/cluster-state.ts';
import type { Context, Controller } from './controllers/controller.ts';
import { Evaluation } from './controllers/evaluation.ts';
import { Events } from './controllers/events.ts';
import { Expiry } from './controllers/expiry.ts';
import { Labels } from './controllers/labels.ts';
import { LeftoverLabels } from './controllers/leftover-labels.ts';
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
  #synced = false;
  #reportsEnded: Promise<void> | undefined;

  constructor(client: ApiClient, options: OperatorOptions) {
    this.#client = client;
    this.#options = options;
    const { log, reflectorObserver } = options;
    const following = { onChange: this.#changed, log, ...(reflectorObserver && { reflectorObserver }) };
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
    const beforeAccept = () => this.#definition.read(signal);
    const running = new Running(this.#controllers(signal), this.#state, { ...this.#options, beforeAccept });
    this.#running = running;
    this.#changed({ of: 'term' });
    running.start();
    await aborted(signal);
    this.#running = undefined;
    // After the term, the operator deletes the results, because a standby must not show the results of its last term.
    await running.stop().finally(() => this.#changed({ of: 'term' }));
  }

  /**
   * Follows the cluster until `signal` is aborted. The promise resolves when the operator has read the whole cluster.
   */
  async follow(signal: AbortSignal): Promise<void> {
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
