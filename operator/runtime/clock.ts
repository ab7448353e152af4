/** Time, passed in so that tests can advance it. */
import { setTimeout as wait } from 'node:timers/promises';

export interface Clock {
  /**
   * Milliseconds since some moment; monotonic. It counts while the process is stopped. On Linux, it does not count while
   * the whole machine is suspended (CLOCK_MONOTONIC, as in Go).
   */
  now(): number;
  /** The time of day, only to show it to people, because somebody may set the clock. */
  date(): Date;
  /** Resolves after `ms`, or as soon as `signal` is aborted. It resolves later than requested if the process was stopped. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  date: () => new Date(),
  async sleep(ms, signal) {
    // Rejects only when aborted.
    await wait(ms, undefined, signal && { signal }).catch(() => {});
  },
};

/**
 * The difference at which the server's clock counts as set back. An answer may be older than the newest one by less than
 * this.
 */
const OUTDATED_MS = 30_000;

/**
 * The time of day by the API server's clock. Soaks and ends of policies outlive the process that began to measure them,
 * and the next leader's own clock may differ by an hour.
 */
export class ServerTime {
  readonly #monotonic: () => number;
  readonly #own: () => number;
  /** The server's time minus the monotonic time; undefined before the first answer. */
  #offset: number | undefined;

  constructor(monotonic = () => performance.now(), own = () => Date.now()) {
    this.#monotonic = monotonic;
    this.#own = own;
  }

  /** @param ms as an answer states it: in whole seconds, and from before the answer arrived */
  readonly saw = (ms: number): void => {
    const offset = ms - this.#monotonic();
    if (this.#offset === undefined || offset > this.#offset || offset < this.#offset - OUTDATED_MS)
      this.#offset = offset;
  };

  /** In whole milliseconds since 1970. Before the first answer, the time is that of our own clock. */
  readonly now = (): number => Math.floor(this.#offset === undefined ? this.#own() : this.#monotonic() + this.#offset);
}
