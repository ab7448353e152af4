/**
 * The operator: what the watches tell becomes keys of work, and each key is worked on from what the cluster is then.
 *
 *   rollout       compile all policies and bring what they render into force
 *   labels/NS     set or withdraw the Pod Security labels of a namespace
 *   judge/NS      judge what runs in a namespace
 *   status/NAME   write the status of a policy
 */
import { writeLabels } from './apply/label-writer.ts';
import { planLabels } from './apply/namespace-labels.ts';
import type { LabelOutcome, RolloutOutcome } from './apply/outcome.ts';
import { Rollout } from './apply/rollout.ts';
import { type ApiClient, isNotFound, pathFor } from './cluster/client.ts';
import type { Change, NamespaceView } from './cluster/objects.ts';
import { endpoints } from './cluster/servers.ts';
import { createCluster, type FollowedCluster } from './cluster/store.ts';
import type { AdmissionOptions } from './compile/admission-policy.ts';
import { type Compiled, compile } from './compile/compile.ts';
import { podSecurityLabels } from './compile/labels.ts';
import { isExcluded } from './policy/deciding.ts';
import type { Log } from './runtime/log.ts';
import { WorkQueue } from './runtime/queue.ts';

export interface OperatorOptions extends AdmissionOptions {
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
  #compiled: Compiled | undefined;
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
      case 'servers':
        this.#compiled = undefined;
        this.#queue.add('rollout');
        for (const { name } of this.#followed.cluster.namespaces()) this.#enqueueNamespace(name);
        return;
      case 'namespace':
        this.#enqueueNamespace(change.name);
        return;
      case 'rendered':
        this.#queue.add('rollout');
        return;
      default:
        return;
    }
  }

  #enqueueNamespace(name: string): void {
    this.#queue.add(`labels/${name}`);
  }

  async #work(key: string): Promise<void> {
    const [kind, name = ''] = key.split('/');
    switch (kind) {
      case 'rollout':
        return this.#bringIntoForce();
      case 'labels':
        return this.#label(name);
    }
  }

  async #bringIntoForce(): Promise<void> {
    const { outcomes, comeBackMs } = await this.#rollout.pass(this.#policies(), this.#followed.cluster.rendered());
    this.#outcomes.clear();
    for (const [name, outcome] of outcomes) {
      this.#outcomes.set(name, outcome);
      this.#queue.addAfter(`status/${name}`, STATUS_DELAY_MS);
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
    if (plan.changes) this.#log.info('labelled namespace', { namespace: name, labels: plan.labels });
    this.#labels.set(name, { namespace: name, applied: plan.labels, conflicts: plan.conflicts });
  }

  #wantedLabels({ name, labels }: NamespaceView): Record<string, string> {
    if (this.#isExcluded(name)) return {};
    return podSecurityLabels(this.#policies().policies, labels, this.#followed.cluster.oldestServer);
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

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
