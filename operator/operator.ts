/**
 * The operator: what the watches tell becomes keys of work, and each key is worked on from what the cluster is then.
 *
 *   rollout       compile all policies and bring what they render into force
 *   labels/NS     set or withdraw the Pod Security labels of a namespace
 *   judge/NS      judge what runs in a namespace
 *   status/NAME   write the status of a policy
 */
import { isDeepStrictEqual } from 'node:util';
import { writeLabels } from './apply/label-writer.ts';
import { type LabelPlan, planLabels } from './apply/namespace-labels.ts';
import type { LabelOutcome, RolloutOutcome } from './apply/outcome.ts';
import { Rollout } from './apply/rollout.ts';
import { lastAccepted } from './apply/standing.ts';
import { type ApiClient, isNotFound, pathFor } from './cluster/client.ts';
import type { Change, NamespaceView } from './cluster/objects.ts';
import { endpoints } from './cluster/servers.ts';
import { createCluster, type FollowedCluster } from './cluster/store.ts';

import { type Compiled, compile } from './compile/compile.ts';
import { type PodSecurityDefaults, podSecurityLabels } from './compile/labels.ts';
import type { AdmissionOptions } from './compile/match.ts';
import { judgeNamespace, type NamespaceJudgement } from './evaluate/namespace.ts';
import { createUseIndex, type UseIndex } from './evaluate/use.ts';
import { Evaluator } from './evaluate/violations.ts';
import { isExcluded } from './policy/deciding.ts';
import type { Resolution } from './policy/resolve.ts';
import { type Coverage, coverageOf } from './report/coverage.ts';
import { buildStatus } from './report/status.ts';
import { type FindUid, namespaceEvents, policyEvents } from './report/transitions.ts';
import { writeEvents, writeReport } from './report/writer.ts';
import type { Log } from './runtime/log.ts';
import { WorkQueue } from './runtime/queue.ts';

export interface OperatorOptions extends AdmissionOptions {
  /** Which operator speaks in Events: the pod's name. */
  readonly instance: string;
  readonly podSecurityDefaults: PodSecurityDefaults;
  readonly log: Log;
}

const CONCURRENCY = 8;
/** Changes come in bursts; a status is written once for all of a burst. */
const STATUS_DELAY_MS = 200;
const SERVERS_KEPT_MS = 10_000;

export class Operator {
  readonly #client: ApiClient;
  readonly #options: OperatorOptions;
  readonly #log: Log;
  readonly #followed: FollowedCluster;
  readonly #queue: WorkQueue;
  readonly #rollout: Rollout;
  readonly #outcomes = new Map<string, RolloutOutcome>();
  readonly #labels = new Map<string, LabelOutcome>();
  readonly #judgements = new Map<string, NamespaceJudgement>();
  readonly #evaluator = new Evaluator();
  #use: UseIndex | undefined;
  /** uid and generation of each policy: what its text was last taken from. */
  readonly #generations = new Map<string, string>();
  #compiled: Compiled | undefined;
  #coverage: ReadonlyMap<string, Coverage> | undefined;
  #servers: { readonly clients: Promise<readonly ApiClient[]>; readonly until: number } | undefined;

  constructor(client: ApiClient, options: OperatorOptions) {
    this.#client = client;
    this.#options = options;
    this.#log = options.log;
    this.#followed = createCluster(client, { onChange: (change) => this.#enqueue(change), log: options.log });
    this.#queue = new WorkQueue((key) => this.#work(key), {
      concurrency: CONCURRENCY,
      onError: (key, error, failures) => this.#log.warn('work failed, will be tried again', { key, failures, error }),
    });
    this.#rollout = new Rollout(client, {
      operatorNamespace: options.operatorNamespace,
      servers: () => this.#answeringServers(),
      onWrite: (action, object) => this.#log.info(`${action} object`, object),
    });
  }

  /** Runs until `signal` is aborted and what was begun has ended. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#ensureOperatorNamespace();
    try {
      await this.#followed.start(signal);
      this.#log.info('watching', { policies: this.#followed.cluster.policies().length });
      this.#queue.add('rollout');
      this.#queue.start();
      await aborted(signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    await this.#queue.stop();
    await this.#followed.ended();
  }

  #enqueue(change: Change): void {
    switch (change.of) {
      case 'policy':
        this.#enqueuePolicy(change.name);
        return;
      case 'servers':
        this.#recompile();
        return;
      case 'namespace':
        this.#coverage = undefined;
        this.#enqueueNamespace(change.name);
        return;
      case 'rendered':
        this.#queue.add('rollout');
        return;
      case 'rbac':
        this.#use = undefined;
        this.#enqueueNamespaces();
        return;
      case 'pod':
      case 'workload':
        this.#queue.add(`judge/${change.namespace}`);
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
    this.#recompile();
  }

  #recompile(): void {
    this.#compiled = undefined;
    this.#coverage = undefined;
    // Verdicts by another text say nothing of this one: better none until the namespaces have been judged again.
    this.#judgements.clear();
    this.#queue.add('rollout');
    this.#enqueueNamespaces();
    this.#enqueueStatuses();
  }

  #enqueueNamespaces(): void {
    for (const { name } of this.#followed.cluster.namespaces()) this.#enqueueNamespace(name);
  }

  #enqueueNamespace(name: string): void {
    this.#queue.add(`labels/${name}`);
    this.#queue.add(`judge/${name}`);
  }

  #enqueueStatuses(): void {
    for (const { metadata } of this.#followed.cluster.policies()) this.#enqueueStatus(metadata?.name ?? '');
  }

  #enqueueStatus(policy: string): void {
    this.#queue.addAfter(`status/${policy}`, STATUS_DELAY_MS);
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
    }
  }

  async #bringIntoForce(): Promise<void> {
    const compiled = this.#policies();
    const { outcomes, comeBackMs } = await this.#rollout.pass(compiled, this.#followed.cluster.rendered());
    // Of policies that changed meanwhile these outcomes say nothing, and the next pass is due already.
    if (compiled !== this.#compiled) return;
    this.#outcomes.clear();
    for (const [name, outcome] of outcomes) {
      this.#outcomes.set(name, outcome);
      this.#enqueueStatus(name);
    }
    if (comeBackMs !== undefined) this.#queue.addAfter('rollout', comeBackMs);
  }

  async #label(name: string): Promise<void> {
    const namespace = this.#followed.cluster.namespace(name);
    if (!namespace || namespace.terminating) {
      this.#labels.delete(name);
      return;
    }
    const plan = planLabels(namespace, this.#wantedLabels(namespace));
    await writeLabels(this.#client, namespace, plan);
    if (plan.changes) this.#log.info('set labels of namespace', { namespace: name, labels: plan.labels });
    const outcome = outcomeOf(name, plan);
    const before = this.#labels.get(name);
    if (isDeepStrictEqual(outcome, before)) return;
    // Before it is remembered: an Event that could not be written is tried again with the key.
    const refusals = await writeEvents(this.#client, namespaceEvents(namespace, before, outcome, this.#origin()));
    for (const error of refusals) this.#log.warn('an Event was refused', { namespace: name, error });
    this.#labels.set(name, outcome);
    this.#enqueueStatuses();
  }

  async #report(name: string): Promise<void> {
    const { cluster } = this.#followed;
    const policy = cluster.policy(name);
    const resolution = this.#resolution(name);
    if (!policy || !resolution) return;
    const coverage = this.#covered().get(name);
    const rollout = this.#outcomes.get(name);
    const origin = this.#origin();
    const status = buildStatus({
      policy,
      resolution,
      ...(coverage && { coverage }),
      ...(rollout && { rollout }),
      labels: this.#labelOutcomes(coverage?.deciding ?? []),
      judgements: this.#judgements,
      oldestServer: cluster.oldestServer,
      now: origin.now,
    });
    await writeReport(this.#client, policy, status, policyEvents(policy, status, this.#findUid, origin));
  }

  /** Of namespaces whose turn has not come since the start: what their labels say now. */
  #labelOutcomes(names: readonly string[]): ReadonlyMap<string, LabelOutcome> {
    const entries = names.flatMap((name) => {
      const namespace = this.#followed.cluster.namespace(name);
      const known = this.#labels.get(name);
      if (!namespace) return [];
      return [[name, known ?? outcomeOf(name, planLabels(namespace, this.#wantedLabels(namespace)))] as const];
    });
    return new Map(entries);
  }

  #resolution(name: string): Resolution | undefined {
    const { policies, refusals } = this.#policies();
    const refusal = refusals.get(name);
    if (refusal) return { refusal };
    const policy = policies.find((one) => one.name === name);
    return policy && { policy };
  }

  #covered(): ReadonlyMap<string, Coverage> {
    const namespaces = this.#followed.cluster.namespaces().filter(({ name }) => !this.#isExcluded(name));
    this.#coverage ??= coverageOf(this.#policies().policies, namespaces);
    return this.#coverage;
  }

  readonly #findUid: FindUid = ({ kind, namespace, name }) => {
    const { cluster } = this.#followed;
    if (kind === 'Pod') return [...cluster.pods(namespace)].find((pod) => pod.name === name)?.uid;
    return cluster.workload(namespace, kind, name)?.uid;
  };

  #origin() {
    return { reportingInstance: this.#options.instance, now: new Date().toISOString() };
  }

  #judge(name: string): void {
    const { cluster } = this.#followed;
    const namespace = cluster.namespace(name);
    if (!namespace || this.#isExcluded(name)) this.#judgements.delete(name);
    else this.#judgements.set(name, judgeNamespace(namespace, this.#policies().policies, cluster, this.#court()));
    this.#enqueueStatuses();
  }

  #court() {
    const { cluster } = this.#followed;
    this.#use ??= createUseIndex(cluster.roles(), cluster.roleBindings());
    return { evaluator: this.#evaluator, use: this.#use };
  }

  #wantedLabels({ name, labels }: NamespaceView): Record<string, string> {
    if (this.#isExcluded(name)) return {};
    const { oldestServer } = this.#followed.cluster;
    const { podSecurityDefaults } = this.#options;
    return podSecurityLabels(this.#policies().policies, labels, { oldestServer, podSecurityDefaults });
  }

  #isExcluded(namespace: string): boolean {
    const { operatorNamespace, excludedNamespaces } = this.#options;
    return isExcluded(namespace, [operatorNamespace, ...excludedNamespaces]);
  }

  #policies(): Compiled {
    const { cluster } = this.#followed;
    const { operatorNamespace, excludedNamespaces } = this.#options;
    this.#compiled ??= compile(cluster.policies(), {
      oldestServer: cluster.oldestServer,
      operatorNamespace,
      excludedNamespaces,
      lastAccepted: lastAccepted(cluster.rendered()),
    });
    return this.#compiled;
  }

  /** Asked for at each probe: looked up now and then. */
  async #answeringServers(): Promise<readonly ApiClient[]> {
    if (!this.#servers || Date.now() > this.#servers.until) {
      this.#servers = { clients: endpoints(this.#client), until: Date.now() + SERVERS_KEPT_MS };
    }
    return this.#servers.clients;
  }

  /** In a cluster it is there, since the operator's pod is in it; elsewhere nobody else would make it. */
  async #ensureOperatorNamespace(): Promise<void> {
    const { operatorNamespace: name } = this.#options;
    try {
      await this.#client.get(pathFor('v1', 'Namespace', undefined, name));
    } catch (error) {
      if (!isNotFound(error)) throw error;
      const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
      await this.#client.create(pathFor('v1', 'Namespace'), namespace);
      this.#log.info('created namespace', { name });
    }
  }
}

function outcomeOf(namespace: string, { labels, conflicts }: LabelPlan): LabelOutcome {
  return { namespace, applied: labels, conflicts };
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
