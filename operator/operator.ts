/**
 * The operator: what the watches tell becomes keys of work, and each key is worked on from what the cluster is then.
 *
 *   rollout       compile all policies and bring what they render into force
 *   labels/NS     set or withdraw the Pod Security labels of a namespace
 *   judge/NS      judge what runs in a namespace
 *   status/NAME   write the status of a policy
 *   events        tell what was repaired, and how often Events came back
 */
import { isDeepStrictEqual } from 'node:util';
import type { CapabilityPolicyStatus, CompletePolicy } from './api/capability-policy.ts';
import { writeLabels } from './apply/label-writer.ts';
import { planLabels } from './apply/namespace-labels.ts';
import type { LabelOutcome, RolloutOutcome } from './apply/outcome.ts';
import { Rollout } from './apply/rollout.ts';
import type { ApiClient } from './cluster/client.ts';
import type { Change, NamespaceView, PodSpec } from './cluster/objects.ts';
import { endpoints } from './cluster/servers.ts';
import { createCluster, type FollowedCluster } from './cluster/store.ts';
import { judgingNamespace, type NamespaceJudgement } from './evaluate/namespace.ts';
import { COST_LIMIT, Evaluator } from './evaluate/violations.ts';
import { MODES } from './policy/deciding.ts';
import type { Resolution } from './policy/resolve.ts';
import type { KubernetesEvent } from './report/events.ts';
import { policyNumbers } from './report/policy-numbers.ts';
import { PolicyReports } from './report/policy-reports.ts';
import { EventRecorder } from './report/recorder.ts';
import { buildStatus } from './report/status.ts';
import { namespaceEvents, policyEvents, repairEvent } from './report/transitions.ts';
import { violationCounts } from './report/violation-counts.ts';
import type { FindIdentity } from './report/violation-events.ts';
import { WrittenStatuses, writeReport } from './report/writer.ts';
import { aborted } from './runtime/aborted.ts';
import type { Log } from './runtime/log.ts';
import type { ReflectorObserver } from './runtime/metrics.ts';
import type { PolicySources } from './runtime/policy-metrics.ts';
import { type QueueObserver, WorkQueue } from './runtime/queue.ts';
import { Rests } from './runtime/rests.ts';
import { type Done, Turns } from './runtime/turns.ts';
import { outcomeOf, View, type ViewOptions } from './view.ts';

export interface OperatorOptions extends ViewOptions {
  /** Which operator speaks in Events: the pod's name. */
  readonly instance: string;
  readonly log: Log;
  /** Told what becomes of keys. */
  readonly queueObserver?: QueueObserver;
  /** Told what is read. */
  readonly reflectorObserver?: ReflectorObserver;
}

const CONCURRENCY = 8;
/** Labelling waits for the API server, and judging for nobody: neither is to hold up the other. */
const LABELS_AT_ONCE = 8;
/** Changes come in bursts; a status is written once for all of a burst. */
const STATUS_DELAY_MS = 200;
/** Else a crowd of pods that comes one by one would be judged as often as it grows. */
const JUDGING_RESTS = { times: 4, mostMs: 10_000 };
/** Of thousands of namespaces a status takes long to put together, and all that happens in one changes it. */
const STATUS_RESTS = { times: 9, mostMs: 1_500 };
const SERVERS_KEPT_MS = 10_000;
/** Of Events: no status and no label waits for one. */
const EVENTS_LIMIT = [50, 100] as const;

export class Operator {
  readonly #client: ApiClient;
  readonly #options: OperatorOptions;
  readonly #log: Log;
  readonly #followed: FollowedCluster;
  readonly #view: View;
  readonly #evaluator = new Evaluator({ costLimit: COST_LIMIT });
  readonly #turns = new Turns();
  readonly #reports: PolicyReports;
  readonly #recorder: EventRecorder;
  /** uid and generation of each policy: what its text was last taken from. */
  readonly #generations = new Map<string, string>();
  readonly #outcomes = new Map<string, RolloutOutcome>();
  readonly #labels = new Map<string, LabelOutcome>();
  readonly #judgements = new Map<string, NamespaceJudgement>();
  readonly #judgingRests = new Rests(JUDGING_RESTS);
  readonly #statusRests = new Rests(STATUS_RESTS);
  readonly #written = new WrittenStatuses();
  /** Events that are still to be written. */
  readonly #repairs: KubernetesEvent[] = [];
  /** Of the term that leads; a stand-by follows the cluster and does nothing. */
  #queue: WorkQueue | undefined;
  /** Of namespaces whose labels are to be looked at. */
  #labelQueue: WorkQueue | undefined;
  #rollout: Rollout;
  #synced = false;
  #reportsFollowed: Promise<void> | undefined;
  #servers: { readonly clients: Promise<readonly ApiClient[]>; readonly until: number } | undefined;

  constructor(client: ApiClient, options: OperatorOptions) {
    this.#client = client;
    this.#options = options;
    this.#log = options.log;
    const { log, reflectorObserver } = options;
    const onChange = (change: Change) => this.#enqueue(change);
    this.#followed = createCluster(client, { onChange, log, ...(reflectorObserver && { reflectorObserver }) });
    const { cluster } = this.#followed;
    this.#view = new View(cluster, options);
    this.#reports = new PolicyReports(client, {
      ...options,
      cluster,
      judgement: (namespace) => this.#judgements.get(namespace),
      isExcluded: (namespace) => this.#view.isExcluded(namespace),
      policies: () => this.#view.compiled.policies,
    });
    this.#recorder = new EventRecorder(client.apart(...EVENTS_LIMIT), {
      onFlood: (leftOut) => log.warn('a flood of Events, some were left out', { leftOut }),
    });
    this.#rollout = this.#newRollout();
  }

  /** What /metrics shows, asked at each scrape. */
  get metricsSources(): PolicySources {
    return {
      policies: () => this.#followed.cluster.policies().map(policyNumbers),
      violating: () => violationCounts(this.#judgements.values()),
      evaluatedObjects: () => [...this.#judgedSpecs()].length,
      distinctFingerprints: () => new Set(this.#judgedSpecs()).size,
    };
  }

  /** Equal ones are one object: the projection shares them. */
  *#judgedSpecs(): Generator<PodSpec> {
    const { cluster } = this.#followed;
    for (const namespace of this.#judgements.keys()) {
      for (const { spec } of cluster.pods(namespace)) yield spec;
      for (const { template } of cluster.workloads(namespace)) yield template.spec;
    }
  }

  /** @throws Error while the cluster has not been read for the first time */
  readonly checkSynced = (): void => {
    if (!this.#synced) throw new Error('the cluster has not been read yet');
  };

  /** Follows the cluster until `signal` is aborted; resolves once all of it has been read. */
  async follow(signal: AbortSignal): Promise<void> {
    this.#reportsFollowed = this.#reports.follow(signal);
    await this.#followed.start(signal);
    this.#synced = true;
    this.#log.info('watching', { policies: this.#followed.cluster.policies().length });
  }

  /**
   * Before a term that others may have led up to: a stand-by whose watch of policies has been behind for a while would
   * undo what they did since. @throws the signal's reason, when it is aborted meanwhile
   */
  async catchUp(signal: AbortSignal): Promise<void> {
    await this.#followed.refresh(signal);
  }

  /** Resolves when nothing is followed any more, after the signal. */
  async ended(): Promise<void> {
    await Promise.all([this.#followed.ended(), this.#reportsFollowed]);
  }

  /** Works until `signal` is aborted and what was begun has ended. Nothing is remembered of an earlier term. */
  async lead(signal: AbortSignal): Promise<void> {
    const queues = [this.#newQueue(CONCURRENCY), this.#newQueue(LABELS_AT_ONCE)] as const;
    this.#rollout = this.#newRollout();
    [this.#queue, this.#labelQueue] = queues;
    this.#view.forgetAccepted();
    this.#recompile();
    for (const queue of queues) queue.start();
    const reporting = this.#reports.lead(signal);
    await aborted(signal);
    this.#queue = undefined;
    this.#labelQueue = undefined;
    await Promise.all([...queues.map((queue) => queue.stop()), reporting]).finally(() => this.#forget());
  }

  /** A stand-by shows nothing that it found when it led. */
  #forget(): void {
    for (const remembered of [this.#outcomes, this.#labels, this.#judgements]) remembered.clear();
    for (const rests of [this.#judgingRests, this.#statusRests]) rests.clear();
  }

  #newQueue(concurrency: number): WorkQueue {
    return new WorkQueue((key) => this.#work(key), {
      concurrency,
      onError: (key, error, failures) => this.#log.warn('work failed, will be tried again', { key, failures, error }),
      ...(this.#options.queueObserver && { observer: this.#options.queueObserver }),
    });
  }

  #newRollout(): Rollout {
    return new Rollout(this.#client, {
      operatorNamespace: this.#options.operatorNamespace,
      servers: () => this.#answeringServers(),
      onWrite: (action, object) => {
        this.#log.info(`${action} object`, { ...object });
        if (action !== 'repaired') return;
        const event = repairEvent(object, this.#followed.cluster.policy(object.policy), this.#origin());
        this.#repairs.push(event);
        this.#queue?.add('events');
      },
    });
  }

  #enqueue(change: Change): void {
    switch (change.of) {
      case 'policy':
        this.#enqueuePolicy(change.name);
        return;
      case 'servers':
        this.#servers = undefined;
        if (change.oldest) this.#recompile();
        // Whether one that came judges by what is in force has to be seen.
        else this.#queue?.add('rollout');
        return;
      case 'namespace':
        this.#view.forgetNamespaces();
        this.#enqueueNamespace(change.name);
        return;
      case 'rendered':
        this.#queue?.add('rollout');
        return;
      case 'rbac':
        this.#view.forgetUse();
        this.#enqueueNamespaces();
        return;
      case 'pod':
      case 'workload':
        this.#enqueueJudging(change.namespace);
    }
  }

  /** Our own status writes come back as changes, too. */
  #enqueuePolicy(name: string): void {
    const policy = this.#followed.cluster.policy(name);
    const generation = policy && `${policy.metadata?.uid}/${policy.metadata?.generation}`;
    if (generation !== undefined && this.#generations.get(name) === generation) {
      this.#enqueueStatus(name);
      return;
    }
    if (generation === undefined) this.#generations.delete(name);
    else this.#generations.set(name, generation);
    this.#outcomes.delete(name);
    // Who changed it waits for what becomes of it.
    this.#statusRests.forget(name);
    this.#recompile();
  }

  #recompile(): void {
    this.#view.forgetPolicies();
    // Verdicts by another text say nothing of this one: better none until the namespaces have been judged again.
    this.#judgements.clear();
    this.#queue?.add('rollout');
    this.#enqueueNamespaces();
    this.#enqueueStatuses();
  }

  #enqueueNamespaces(): void {
    for (const { name } of this.#followed.cluster.namespaces()) this.#enqueueNamespace(name);
  }

  #enqueueNamespace(name: string): void {
    this.#labelQueue?.add(`labels/${name}`);
    this.#enqueueJudging(name);
  }

  #enqueueJudging(namespace: string): void {
    const rest = this.#judgingRests.left(namespace);
    if (rest > 0) this.#queue?.addAfter(`judge/${namespace}`, rest);
    else this.#queue?.add(`judge/${namespace}`);
  }

  #enqueueStatuses(): void {
    for (const { metadata } of this.#followed.cluster.policies()) this.#enqueueStatus(metadata?.name ?? '');
  }

  #enqueueStatus(policy: string): void {
    this.#queue?.addAfter(`status/${policy}`, Math.max(STATUS_DELAY_MS, this.#statusRests.left(policy)));
  }

  async #work(key: string): Promise<void> {
    const [kind, name = ''] = key.split('/');
    switch (kind) {
      case 'rollout':
        return this.#bringIntoForce();
      case 'labels':
        return this.#label(name);
      case 'judge':
        return this.#judge(name);
      case 'status':
        return this.#report(name);
      case 'events':
        return this.#tellWhatWaits();
    }
  }

  async #tellWhatWaits(): Promise<void> {
    const repairs = [...this.#repairs];
    const refusals = await this.#recorder.tell(repairs);
    this.#repairs.splice(0, repairs.length);
    for (const error of refusals) this.#log.warn('an Event was refused', { error });
    await this.#recorder.tellSeries();
    this.#enqueueSeries();
  }

  readonly #tell: EventRecorder['tell'] = async (events) => {
    const refusals = await this.#recorder.tell(events);
    this.#enqueueSeries();
    return refusals;
  };

  #enqueueSeries(): void {
    const { dueMs } = this.#recorder;
    if (dueMs !== undefined) this.#queue?.addAfter('events', dueMs);
  }

  async #bringIntoForce(): Promise<void> {
    const { compiled } = this.#view;
    const { outcomes, unremoved, comeBackMs } = await this.#rollout.pass(compiled, this.#followed.cluster.rendered());
    // Of policies that changed meanwhile these outcomes say nothing, and the next pass is due already.
    if (compiled !== this.#view.compiled) return;
    this.#outcomes.clear();
    for (const [name, outcome] of outcomes) {
      this.#outcomes.set(name, outcome);
      this.#enqueueStatus(name);
    }
    if (comeBackMs !== undefined) this.#queue?.addAfter('rollout', comeBackMs);
    if (unremoved) throw unremoved;
  }

  async #label(name: string): Promise<void> {
    const namespace = this.#followed.cluster.namespace(name);
    if (!namespace || namespace.terminating) {
      this.#labels.delete(name);
      return;
    }
    const plan = planLabels(namespace, this.#view.wantedLabels(namespace));
    await writeLabels(this.#client, namespace, plan);
    if (plan.changes) this.#log.info('set labels of namespace', { namespace: name, labels: plan.labels });
    const outcome = outcomeOf(name, plan);
    const before = this.#labels.get(name);
    if (isDeepStrictEqual(outcome, before)) return;
    // Before it is remembered: an Event that could not be written is tried again with the key.
    const refusals = await this.#tell(namespaceEvents(namespace, before, outcome, this.#origin()));
    for (const error of refusals) this.#log.warn('an Event was refused', { namespace: name, error });
    this.#labels.set(name, outcome);
    this.#enqueueStatuses();
  }

  async #judge(name: string): Promise<void> {
    const namespace = this.#followed.cluster.namespace(name);
    if (!namespace || this.#view.isExcluded(name)) {
      this.#judgements.delete(name);
      this.#judgingRests.forget(name);
    } else {
      const judged = await this.#judgement(namespace);
      // Policies have changed since it began, and its key is queued again; or the leader term has ended.
      if (!judged) return;
      this.#judgements.set(name, judged.result);
      this.#judgingRests.rest(name, judged.spentMs);
    }
    this.#reports.judged(name);
    this.#enqueueStatuses();
  }

  #judgement(namespace: NamespaceView): Promise<Done<NamespaceJudgement> | undefined> {
    const { compiled } = this.#view;
    const court = { evaluator: this.#evaluator, use: this.#view.use };
    const pieces = judgingNamespace(namespace, compiled.policies, this.#followed.cluster, court);
    return this.#turns.run(pieces, () => this.#queue !== undefined && this.#view.compiled === compiled);
  }

  async #report(name: string): Promise<void> {
    const seen = this.#followed.cluster.policy(name);
    const resolution = this.#view.resolution(name);
    if (!seen || !resolution) return;
    const policy = this.#written.latest(seen);
    const origin = this.#origin();
    const status = this.#statusRests.after(name, () => this.#status(policy, resolution, origin.now));
    const events = policyEvents(policy, status, this.#findIdentity, origin);
    await writeReport(this.#client, this.#tell, policy, status, events);
    this.#written.add(seen, status);
  }

  #status(policy: CompletePolicy, resolution: Resolution, now: string): CapabilityPolicyStatus {
    const name = policy.metadata?.name ?? '';
    const coverage = this.#view.coverage.get(name);
    const rollout = this.#outcomes.get(name);
    return buildStatus({
      policy,
      resolution,
      ...(coverage && { coverage }),
      ...(rollout && { rollout }),
      labels: this.#view.labelOutcomes(coverage?.deciding ?? [], this.#labels),
      judgements: this.#judgements,
      wideHolders: this.#view.use.wideHolders(),
      olderBindings: this.#view.use.olderBindings(name, String(policy.metadata?.creationTimestamp ?? '')),
      oldestServer: this.#followed.cluster.oldestServer,
      now,
    });
  }

  readonly #findIdentity: FindIdentity = ({ kind, namespace, name }) => {
    const { cluster } = this.#followed;
    if (kind === 'Pod') return [...cluster.pods(namespace)].find((pod) => pod.name === name);
    const isIt = (one: { readonly kind: string; readonly name: string }) => one.kind === kind && one.name === name;
    const { modes = {} } = this.#judgements.get(namespace) ?? {};
    const judged = MODES.flatMap((mode) => modes[mode]?.workloads.find(isIt) ?? []);
    return judged.find(({ custom }) => custom)?.custom ?? cluster.workload(namespace, kind, name);
  };

  #origin() {
    return { reportingInstance: this.#options.instance, now: new Date().toISOString() };
  }

  /** Asked for at each probe: looked up now and then. */
  async #answeringServers(): Promise<readonly ApiClient[]> {
    if (!this.#servers || Date.now() > this.#servers.until) {
      const clients = endpoints(this.#client);
      this.#servers = { clients, until: Date.now() + SERVERS_KEPT_MS };
      clients.catch(() => {
        if (this.#servers?.clients === clients) this.#servers = undefined;
      });
    }
    return this.#servers.clients;
  }
}
