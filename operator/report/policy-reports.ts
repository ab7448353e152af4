/**
 * Policy reports of every namespace where a policy decides, in clusters that have an API for them. They are written beside
 * the operator's other work, one namespace after the other: labels and statuses do not wait for them.
 */
import type { ApiClient } from '../cluster/client.ts';
import type { Cluster, NamespaceView } from '../cluster/objects.ts';
import { FollowedReports, type ReportApi } from '../cluster/reports.ts';
import type { NamespaceJudgement } from '../evaluate/namespace.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { aborted } from '../runtime/aborted.ts';
import type { Log } from '../runtime/log.ts';
import type { ReflectorObserver } from '../runtime/metrics.ts';
import { type QueueObserver, WorkQueue } from '../runtime/queue.ts';
import { firstReportName, type PolicyReport, policyReports } from './policy-report.ts';
import { writePolicyReports } from './policy-report-writer.ts';
import type { FindIdentity } from './violation-events.ts';

export interface PolicyReportsOptions {
  readonly cluster: Pick<Cluster, 'namespaces' | 'namespace' | 'pods' | 'workload'>;
  /** Undefined: not judged yet. */
  judgement(namespace: string): NamespaceJudgement | undefined;
  isExcluded(namespace: string): boolean;
  /** The accepted ones. */
  policies(): readonly ResolvedPolicy[];
  readonly log: Log;
  readonly queueObserver?: QueueObserver | undefined;
  readonly reflectorObserver?: ReflectorObserver | undefined;
}

/** Changes come in bursts; a report is written once for all of a burst. */
const DELAY_MS = 3_000;
/** Bytes a millisecond, of one namespace's reports: the larger they are, the less often they are written. */
const MOST_BYTES_PER_MS = 256;

const NOWHERE: Pick<NamespaceJudgement, 'modes'> = { modes: {} };

export class PolicyReports {
  readonly #client: ApiClient;
  readonly #options: PolicyReportsOptions;
  readonly #followed: FollowedReports;
  /** Of namespaces with large reports: when they may be written again. */
  readonly #resting = new Map<string, number>();
  /** Of the term that leads. */
  #queue: WorkQueue | undefined;

  constructor(client: ApiClient, options: PolicyReportsOptions) {
    this.#client = client;
    this.#options = options;
    this.#followed = new FollowedReports({
      onServed: () => this.#enqueueAll(),
      onChange: (namespace) => this.judged(namespace),
      log: options.log,
      ...(options.reflectorObserver && { observer: options.reflectorObserver }),
    });
  }

  /** Follows the reports until `signal` is aborted; resolves when nothing is followed any more. */
  async follow(signal: AbortSignal): Promise<void> {
    await this.#followed.follow(this.#client, signal);
  }

  /** Writes until `signal` is aborted and what was begun has ended. */
  async lead(signal: AbortSignal): Promise<void> {
    const { log, queueObserver } = this.#options;
    const queue = new WorkQueue((key) => this.#write(key.slice(key.indexOf('/') + 1)), {
      onError: (key, error, failures) => log.warn('work failed, will be tried again', { key, failures, error }),
      ...(queueObserver && { observer: queueObserver }),
    });
    this.#queue = queue;
    this.#enqueueAll();
    queue.start();
    await aborted(signal);
    this.#queue = undefined;
    await queue.stop();
  }

  /** What is known of the namespace has changed, or what its reports say. */
  judged(namespace: string): void {
    const rest = (this.#resting.get(namespace) ?? 0) - Date.now();
    this.#queue?.addAfter(`reports/${namespace}`, Math.max(DELAY_MS, rest));
  }

  #enqueueAll(): void {
    if (this.#followed.api) for (const { name } of this.#options.cluster.namespaces()) this.judged(name);
  }

  async #write(name: string): Promise<void> {
    const { api } = this.#followed;
    const namespace = this.#options.cluster.namespace(name);
    // Who is not judged yet will be, and comes again then; a namespace that goes takes its reports along.
    const known = this.#options.isExcluded(name) || this.#options.judgement(name) !== undefined;
    if (!api || !namespace || namespace.terminating || !known) return;
    let written = 0;
    await writePolicyReports(this.#client, this.#wanted(namespace, api), this.#followed.in(name), (report, bytes) => {
      this.#followed.wrote(report);
      written += bytes;
    });
    this.#rest(name, written / MOST_BYTES_PER_MS);
  }

  *#wanted(namespace: NamespaceView, api: ReportApi): Generator<PolicyReport> {
    const findIdentity = this.#identities(namespace.name);
    const now = new Date().toISOString();
    const { modes } = this.#options.judgement(namespace.name) ?? NOWHERE;
    for (const { deciding, workloads } of Object.values(modes)) {
      for (const policy of this.#options.policies().filter(({ name }) => deciding.includes(name))) {
        const first = firstReportName(policy.name);
        // In whichever API: it may have been the other one until now.
        const cleanSince = this.#followed.in(namespace.name).find(({ name }) => name === first)?.cleanSince;
        yield* policyReports({ api, policy, namespace, workloads, findIdentity, cleanSince, now });
      }
    }
  }

  #identities(namespace: string): FindIdentity {
    const { cluster } = this.#options;
    const pods = new Map(Iterator.from(cluster.pods(namespace)).map(({ name, uid }) => [name, uid]));
    return ({ kind, name }) => {
      const uid = kind === 'Pod' ? pods.get(name) : cluster.workload(namespace, kind, name)?.uid;
      return uid === undefined ? undefined : { uid };
    };
  }

  #rest(namespace: string, ms: number): void {
    if (ms > DELAY_MS) this.#resting.set(namespace, Date.now() + ms);
    else this.#resting.delete(namespace);
  }
}
