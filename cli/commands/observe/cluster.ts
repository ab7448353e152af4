/**
 * Observes the nodes of a cluster. The command creates a Job, follows the Job's pods, and deletes the Job at the end,
 * even if the user interrupts the command.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  OBSERVATION_LABEL,
  OBSERVER_NAMESPACE,
  observerJob,
  observerNamespace,
} from '../../../analysis/observe/job.ts';
import { type NamedPod, named, PodNames } from '../../../analysis/observe/names.ts';
import { joinedLogs } from '../../../analysis/observe/raw-log.ts';
import { isNotFound } from '../../../operator/cluster/api-error.ts';
import { pathFor, pathOf } from '../../../operator/cluster/paths.ts';
import { Reflector } from '../../../operator/cluster/reflector.ts';
import { PODS } from '../../../operator/cluster/sources.ts';
import type { RawObject } from '../../../operator/model/raw.ts';
import { type Connected, withCluster } from '../../cluster.ts';
import { type ExitCode, type Io, UsageError } from '../../command.ts';
import { complaints } from '../../output/complaints.ts';
import { Progress } from '../../output/progress.ts';
import { Observers } from './observers.ts';
import type { ObserveOptions } from './options.ts';
import { evidenceText, progressText, reportLines, secondsText, unnamedText } from './text.ts';

/** The time limit for the start of a pod, including the time to pull its image. */
const START_MS = 300_000;
/** The time limit for a pod to print its observations and end. */
const END_MS = 30_000;
const LOOK_MS = 200;

/** The API paths of the objects that the observation created. */
interface Made {
  readonly namespace?: string;
  readonly job?: string;
}

export async function observeCluster(options: ObserveOptions, io: Io): Promise<ExitCode> {
  const { for: forMs } = options;
  if (forMs === undefined) throw new UsageError('state a duration with --for, such as 1h');
  return withCluster(options, async ({ client }) => {
    const nodes = await nodesOf(client, options.node);
    // The command needs the right to read pods, because it finds the names of containers in pods. The command checks
    // the right at the start. Without the check at the start, the user would notice a missing right only after the Job
    // has run for its whole time.
    await client.get('/api/v1/pods', { limit: 1 });
    const observation = new ClusterObservation(client, io, nodes, forMs);
    await observation.run(options);
    return observation.print(options);
  });
}

class ClusterObservation {
  readonly #client: Connected['client'];
  readonly #io: Io;
  readonly #nodes: readonly string[];
  readonly #forMs: number;
  readonly #name = `observe-${randomBytes(4).toString('hex')}`;
  readonly #names = new PodNames();
  readonly #over = new AbortController();
  readonly #observers: Observers;

  constructor(client: Connected['client'], io: Io, nodes: readonly string[], forMs: number) {
    this.#client = client;
    this.#io = io;
    this.#nodes = nodes;
    this.#forMs = forMs;
    this.#observers = new Observers(client, this.#over.signal);
  }

  async run({ image, node, bufferSize }: ObserveOptions): Promise<void> {
    const following = this.#followPods();
    let made: Made = {};
    try {
      made = await this.#createNamespace();
      const seconds = Math.ceil(this.#forMs / 1000);
      const count = this.#nodes.length;
      const job = observerJob({ name: this.#name, image, seconds, count, nodes: node, bufferKb: bufferSize });
      await this.#client.create(pathFor(job.apiVersion, job.kind, OBSERVER_NAMESPACE), job);
      made = { ...made, job: pathOf(job) };
      const howLong = secondsText(seconds);
      this.#tell(`observing ${count} nodes for ${howLong} by Job ${OBSERVER_NAMESPACE}/${this.#name}`);
      await this.#wait();
    } finally {
      await this.#cleanUp(made);
      this.#over.abort();
      await following;
    }
  }

  print({ namespace, output }: ObserveOptions): ExitCode {
    const all = joinedLogs(this.#observers.all.map(({ log }) => log));
    const { evidence, unnamed } = named(all, (group) => this.#names.nameOf(group), namespace);
    this.#io.stdout.write(evidenceText(evidence, output, this.#io));
    for (const { node, pod, log, waiting } of this.#observers.all) {
      for (const line of reportLines({ name: node ?? pod, log, waiting })) this.#tell(line);
    }
    const unseen = this.#nodes.filter((node) => !this.#observers.all.some((observer) => observer.node === node));
    for (const node of unseen) this.#tell(`${node}: not observed, no pod of the Job was scheduled there`);
    for (const line of unnamedText(unnamed.length)) this.#tell(line);
    return this.#observers.all.filter(({ log }) => log.end).length === this.#nodes.length ? 0 : 2;
  }

  /**
   * Follows the pods of the cluster. The pods contain the names of the observed containers. The Job's pods also report
   * the observations.
   */
  async #followPods(): Promise<void> {
    const put = (raw: RawObject) => {
      this.#names.add(raw as NamedPod);
      const { namespace, labels } = raw.metadata ?? {};
      if (namespace === OBSERVER_NAMESPACE && labels?.[OBSERVATION_LABEL] === this.#name) this.#observers.seen(raw);
    };
    const sink = { listing() {}, put, remove: put, listed() {} };
    await new Reflector(this.#client, PODS, sink, this.#over.signal, { log: complaints(this.#io) }).run();
  }

  /** Creates the namespace if it does not exist. */
  async #createNamespace(): Promise<Made> {
    const path = pathFor('v1', 'Namespace', undefined, OBSERVER_NAMESPACE);
    try {
      await this.#client.get(path);
      return {};
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    await this.#client.create(pathFor('v1', 'Namespace'), observerNamespace());
    return { namespace: path };
  }

  /** Waits until every node has reported, or until the time is over. */
  async #wait(): Promise<void> {
    const { signal } = this.#io;
    const progress = new Progress(this.#io);
    const deadline = Date.now() + START_MS + this.#forMs + END_MS;
    while (!signal.aborted && Date.now() < deadline && !this.#areComplete()) {
      progress.at(() => this.#progress());
      await sleep(LOOK_MS, undefined, { signal }).catch(() => {});
    }
    progress.clear();
  }

  #areComplete(): boolean {
    return this.#observers.all.filter(({ ended }) => ended).length >= this.#nodes.length;
  }

  #progress(): string {
    const made = this.#observers.all.flatMap(({ log }) => log.progress ?? []);
    const sum = (of: (one: (typeof made)[number]) => number) => made.reduce((total, one) => total + of(one), 0);
    const text = progressText(
      {
        seconds: Math.max(0, ...made.map(({ seconds }) => seconds)),
        containers: sum(({ containers }) => containers),
        counts: { checks: sum(({ counts }) => counts.checks), lost: sum(({ counts }) => counts.lost), unplaced: 0 },
      },
      this.#forMs,
    );
    return `${made.length} of ${this.#nodes.length} nodes, ${text}`;
  }

  /**
   * Deletes the Job and the pods that are still observing. When a pod is deleted, the pod prints what it has observed
   * so far.
   */
  async #cleanUp({ job, namespace }: Made): Promise<void> {
    const running = this.#observers.all
      .filter(({ ended }) => !ended)
      .map((observer) => this.#observers.pathOf(observer));
    for (const path of [...(job ? [job] : []), ...running]) await this.#remove(path);
    await Promise.race([this.#observers.ended(), sleep(END_MS, undefined, { ref: false })]);
    if (namespace) await this.#remove(namespace);
  }

  async #remove(path: string): Promise<void> {
    try {
      await this.#client.remove(path);
    } catch (error) {
      if (!isNotFound(error)) this.#tell(`cannot delete ${path}: ${(error as Error).message}`);
    }
  }

  #tell(message: string): void {
    this.#io.stderr.write(`cappol: ${message}\n`);
  }
}

/** The nodes to observe. @throws UsageError if a node does not exist */
async function nodesOf(client: Connected['client'], wanted: readonly string[] | undefined): Promise<string[]> {
  const found: string[] = [];
  await client.list('/api/v1/nodes', { labelSelector: 'kubernetes.io/os=linux' }, ({ items }) => {
    for (const { metadata } of items ?? []) found.push(metadata?.name ?? '');
  });
  const missing = wanted?.find((name) => !found.includes(name));
  if (missing !== undefined)
    throw new UsageError(`no node ${JSON.stringify(missing)} with Linux; the nodes with Linux are ${found.join(', ')}`);
  if (found.length === 0) throw new UsageError('the cluster has no node with Linux');
  return wanted ? [...new Set(wanted)] : found;
}
