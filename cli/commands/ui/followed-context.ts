/**
 * Follows the cluster of a context for the page. If following fails, the page shows the reason, and the connection is
 * tried again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { assessedCluster } from '../../../analysis/policies/assessed-cluster.ts';
import type { Snapshot } from '../../../analysis/snapshot/document.ts';
import { askKnownServers } from '../../../operator/cluster/servers.ts';
import { ADMISSION_POLICIES, VALIDATING_POLICIES } from '../../../operator/cluster/sources.ts';
import { createCluster } from '../../../operator/cluster/store.ts';
import { Turns } from '../../../operator/runtime/turns.ts';
import { type Connected, excludingPlatform, withCluster } from '../../cluster.ts';
import type { Io } from '../../command.ts';
import { isInstalled, rightsOf, SNAPSHOT_NOT_EVALUATED } from '../../live.ts';
import type { Given, PolicyOptions } from '../../options.ts';
import type { EvidenceOf } from './evidence-of.ts';
import { followingLog } from './following-log.ts';
import { LiveSnapshot } from './live-snapshot.ts';
import { within } from './within.ts';

const PURPOSE = { notEvaluated: SNAPSHOT_NOT_EVALUATED };

/**
 * The kinds of objects that enforce policies, but that `cappol ui` does not read, because the page does not show them.
 * ValidatingAdmissionPolicies are read, because they record which spec was accepted last.
 */
const UNREAD = ADMISSION_POLICIES.filter((source) => source !== VALIDATING_POLICIES);

/**
 * The time in which changes are collected before they are evaluated, in ms. Changes come in bursts. Each burst is
 * evaluated only once.
 */
const PAUSE_MS = 300;
/**
 * The maximum pause. Each pause is as long as the normal pause plus the duration of the last evaluation, up to the
 * maximum. For this reason, `cappol ui` uses about half of a CPU core for a cluster that changes all the time.
 */
const LONGEST_PAUSE_MS = 1_000;
/** The interval at which `cappol ui` checks whether a policy has expired, or whether the CRD has been installed. */
const LOOK_MS = 2_000;
const FIRST_RETRY_MS = 2_000;
const LAST_RETRY_MS = 60_000;

/** A context as the page shows it. */
export interface ShownContext {
  readonly context: string;
  /** The snapshot of the cluster. Until the cluster has been read, `snapshot` is undefined. */
  readonly snapshot?: Snapshot | undefined;
  /**
   * The reason why the cluster cannot be read or followed now, as text for users. If the cluster can be read and
   * followed, `problem` is undefined.
   */
  readonly problem?: string | undefined;
}

interface Following {
  readonly io: Pick<Io, 'signal' | 'stderr'>;
  readonly evidenceOf: EvidenceOf;
  /** `show` is called after a change in the context. */
  show(): void;
}

export class FollowedContext implements ShownContext {
  readonly context: string;
  readonly #options: Given<PolicyOptions>;
  readonly #io: Pick<Io, 'signal' | 'stderr'>;
  readonly #evidenceOf: EvidenceOf;
  readonly #show: () => void;
  readonly #turns = new Turns();
  #snapshot: Snapshot | undefined;
  #problem: string | undefined;
  #failures = 0;

  constructor(context: string, options: Given<PolicyOptions>, { io, evidenceOf, show }: Following) {
    this.context = context;
    this.#options = options;
    this.#io = io;
    this.#evidenceOf = evidenceOf;
    this.#show = show;
  }

  get snapshot(): Snapshot | undefined {
    return this.#snapshot;
  }

  get problem(): string | undefined {
    return this.#problem;
  }

  /** Follows the context's cluster until the signal is aborted. */
  async follow(): Promise<void> {
    const { signal } = this.#io;
    while (!signal.aborted) {
      try {
        await withCluster(this.#options, (connected) => this.#followConnected(connected));
      } catch (error) {
        if (!signal.aborted) this.#fail(error instanceof Error ? error.message : String(error));
      }
      const ms = Math.min(FIRST_RETRY_MS * 2 ** this.#failures++, LAST_RETRY_MS);
      await sleep(ms, undefined, { signal }).catch(() => {});
    }
  }

  #fail(problem: string | undefined): void {
    if (problem === this.#problem) return;
    this.#problem = problem;
    if (problem !== undefined) this.#io.stderr.write(`cappol: ${this.context}: ${problem.split('\n')[0]}\n`);
    this.#show();
  }

  async #followConnected(connected: Connected): Promise<void> {
    const ending = new AbortController();
    const signal = AbortSignal.any([this.#io.signal, ending.signal]);
    const options = await excludingPlatform<PolicyOptions>(this.#options, connected);
    const rights = await rightsOf(connected, { signal }, PURPOSE);
    const isInstalledNow = async () => !rights.installed && (await isInstalled(connected));
    const { evidence, missing } = await this.#evidenceOf(connected);
    const readable = { ...rights, missing: [...rights.missing, ...missing] };
    let live: LiveSnapshot | undefined;
    let changed = Promise.withResolvers<void>();
    const followed = createCluster(connected.client, {
      onChange: (change) => {
        live?.apply(change);
        changed.resolve();
      },
      log: followingLog((problem) => this.#fail(problem)),
      except: [...rights.forbidden, ...UNREAD],
      metadataOnly: [VALIDATING_POLICIES],
      ask: askKnownServers,
    });
    try {
      await followed.start(signal);
      const cluster = rights.installed ? followed.cluster : assessedCluster(followed.cluster);
      live = new LiveSnapshot(cluster, readable, { ...options, context: this.context, evidence });
      this.#failures = 0;
      this.#problem = undefined;
      while (!signal.aborted) {
        if (await isInstalledNow()) return;
        changed = Promise.withResolvers();
        const spentMs = await this.#take(live);
        await sleep(Math.min(PAUSE_MS + spentMs, LONGEST_PAUSE_MS), undefined, { signal }).catch(() => {});
        while (!(await within(LOOK_MS, changed.promise, signal)) && !signal.aborted) {
          if (live.hasExpired()) break;
          if (await isInstalledNow()) return;
        }
      }
    } finally {
      ending.abort();
      await followed.ended();
    }
  }

  async #take(live: LiveSnapshot): Promise<number> {
    const done = await this.#turns.run(live.taking(), () => !this.#io.signal.aborted);
    if (!done) return 0;
    this.#snapshot = done.result;
    this.#show();
    return done.spentMs;
  }
}
