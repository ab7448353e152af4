/** A client that repeats one request and counts the answers. The client also continues while no API server answers. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from '../../../hack/controlplane/api.ts';

const AT_ONCE = 4;
/** The pause after a refused connection, in ms. While no server listens on the port, a connection is refused at once. */
const RETRY_MS = 2;
/**
 * The pause after an answer, in ms. The server compiles its programs while it already answers. Without a pause, the
 * clients take the CPU time that the server needs to become ready.
 */
const PAUSE_MS = 20;

export interface Counts {
  admitted: number;
  refused: number;
  /** The number of answers that neither admit nor refuse the pod, for example while the API server is not ready yet. */
  other: number;
  unanswered: number;
}

export class Hammer {
  readonly counts: Counts = { admitted: 0, refused: 0, other: 0, unanswered: 0 };
  readonly #ask: () => Promise<Answer>;
  readonly #running: Promise<unknown>;
  #stopped = false;

  /** @param ask a function that sends a request that the policies refuse */
  constructor(ask: () => Promise<Answer>) {
    this.#ask = ask;
    this.#running = Promise.all(Array.from({ length: AT_ONCE }, () => this.#repeat()));
  }

  get answered(): number {
    const { admitted, refused, other } = this.counts;
    return admitted + refused + other;
  }

  async stop(): Promise<Counts> {
    this.#stopped = true;
    await this.#running;
    return this.counts;
  }

  async #repeat(): Promise<void> {
    while (!this.#stopped) {
      try {
        this.#count(await this.#ask());
        await sleep(PAUSE_MS);
      } catch {
        this.counts.unanswered++;
        await sleep(RETRY_MS);
      }
    }
  }

  #count({ status, body }: Answer): void {
    if (status < 300) this.counts.admitted++;
    else if (status === 403 && String(body.message).includes('CapabilityPolicy')) this.counts.refused++;
    else this.counts.other++;
  }
}
