/** Runs clients that create pods by dry run repeatedly. The clients record every wrong answer. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Identity } from '../../hack/controlplane/api.ts';
import { ADMITTED, type TestCluster } from './harness.ts';

export interface Attempt {
  readonly pod: object;
  readonly namespace: string;
  readonly as?: Identity;
  readonly expected: 'admitted' | 'refused';
}

interface Surprise {
  readonly attempt: Attempt;
  readonly answer: string;
  /** The time in milliseconds since the traffic began. */
  readonly at: number;
}

const IN_FLIGHT = 4;
/** The pause of each client in ms, so that the API server and the operator get some of the machine's CPU time. */
const PAUSE_MS = 5;

export class Traffic {
  readonly #cluster: TestCluster;
  readonly #attempts: readonly Attempt[];
  readonly #began = Date.now();
  readonly #clients: Promise<void>[];
  #stopped = false;
  #next = 0;
  /** The number of attempts so far. */
  tried = 0;
  readonly surprises: Surprise[] = [];

  /** Starts the clients at once. */
  constructor(cluster: TestCluster, attempts: readonly Attempt[]) {
    this.#cluster = cluster;
    this.#attempts = attempts;
    this.#clients = Array.from({ length: IN_FLIGHT }, () => this.#client());
  }

  get at(): number {
    return Date.now() - this.#began;
  }

  /**
   * Stops the clients.
   * @throws the error of a client
   */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#clients);
  }

  async #client(): Promise<void> {
    while (!this.#stopped) {
      const attempt = this.#attempts[this.#next++ % this.#attempts.length];
      if (!attempt) return;
      const { pod, namespace, as, expected } = attempt;
      const answer = await this.#cluster.admit(pod, namespace, as);
      this.tried++;
      if ((answer === ADMITTED) !== (expected === 'admitted')) this.surprises.push({ attempt, answer, at: this.at });
      await sleep(PAUSE_MS);
    }
  }
}
