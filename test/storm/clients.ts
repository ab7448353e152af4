/**
 * Runs clients that create pods in parallel, as fast as possible. The clients create some of the pods by dry run, and
 * the other pods without dry run.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { CREATOR, type TestCluster } from '../support/harness.ts';
import { NAMESPACES } from '../support/rendered.ts';
import type { Attempt } from '../support/traffic.ts';
import { type Verdict, verdictOf } from '../support/verdict.ts';

/**
 * The number of clients. The API server is the bottleneck. With more clients, policies would hardly come into force.
 */
const CLIENTS = 3;
/** If this number is N, the clients create one of every N pods without dry run, and then delete the pod. */
const REAL = 4;
/** The pause in ms of a client while the API server is down. */
const PAUSE_MS = 200;
const SHOWN = 5;

export class PodClients {
  readonly #cluster: TestCluster;
  readonly #attempts: readonly Attempt[];
  readonly #working: Promise<unknown>;
  #stopped = false;
  #next = 0;
  readonly counts: Record<Verdict | 'real' | 'wrong', number> = {
    admitted: 0,
    refused: 0,
    unanswered: 0,
    real: 0,
    wrong: 0,
  };
  /** Messages about the first wrong verdicts, for the output. */
  readonly wrong: string[] = [];

  /** Starts the clients at once. */
  constructor(cluster: TestCluster, attempts: readonly Attempt[]) {
    this.#cluster = cluster;
    this.#attempts = attempts;
    this.#working = Promise.all(Array.from({ length: CLIENTS }, () => this.#work()));
  }

  get sent(): number {
    return this.counts.admitted + this.counts.refused + this.counts.unanswered;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#working;
  }

  async #work(): Promise<void> {
    while (!this.#stopped) {
      const turn = this.#next++;
      const attempt = this.#attempts[turn % this.#attempts.length] as Attempt;
      // In one of every REAL rounds, the client makes the attempt without dry run.
      const round = Math.floor(turn / this.#attempts.length);
      const real = ((turn % this.#attempts.length) + round) % REAL === 0;
      await this.#create(attempt, real).catch(async () => {
        this.counts.unanswered++;
        await sleep(PAUSE_MS);
      });
    }
  }

  async #create({ pod, namespace, as = CREATOR, expected }: Attempt, real: boolean): Promise<void> {
    const path = `${NAMESPACES}/${namespace}/pods`;
    const body = { ...pod, metadata: { generateName: 'storm-' } };
    const answer = await this.#cluster.api.ask('POST', path, { body, as, query: real ? {} : { dryRun: 'All' } });
    const verdict = verdictOf(answer);
    this.counts[verdict]++;
    if (real) this.counts.real++;
    if (verdict !== 'unanswered' && verdict !== expected) {
      this.counts.wrong++;
      if (this.wrong.length < SHOWN) {
        const { serviceAccountName = 'default' } = (pod as { spec: { serviceAccountName?: string } }).spec;
        const what = `pod of ${serviceAccountName} by ${as.user} in ${namespace}: ${verdict} instead of ${expected}`;
        this.wrong.push(`${new Date().toISOString()} ${what}: ${answer.body.message ?? ''}`);
      }
    }
    if (real && verdict === 'admitted') await this.#remove(`${path}/${answer.body.metadata.name}`);
  }

  async #remove(path: string): Promise<void> {
    await this.#cluster.api.ask('DELETE', path, { body: { gracePeriodSeconds: 0 } });
  }
}
