/** A clock that is passed in, so that tests can advance the time. */
import { setTimeout as wait } from 'node:timers/promises';

export interface Clock {
  /**
   * Milliseconds since some moment; monotonic. The clock goes on while the process is stopped. On Linux, it does not go
   * on while the whole machine is suspended (CLOCK_MONOTONIC, as in Go).
   */
  now(): number;
  /** The time of day, only to show it to people, because somebody may set the clock. */
  date(): Date;
  /**
   * Resolves after `ms`, or as soon as `signal` is aborted. If the process was stopped, it resolves later than
   * requested.
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  date: () => new Date(),
  async sleep(ms, signal) {
    // `wait` rejects only when the signal is aborted.
    await wait(ms, undefined, signal && { signal }).catch(() => {});
  },
};

/**
 * The difference from which on the server's clock counts as set back. Smaller differences are normal, because answers
 * arrive late.
 */
const OUTDATED_MS = 30_000;

/**
 * The time of day by the API server's clock. The soak of a namespace and the end of a policy outlive the process that
 * began to measure the time, and the next leader's own clock may differ by an hour.
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

  /** @param ms the time that an answer states: in whole seconds, and from before the answer arrived */
  readonly saw = (ms: number): void => {
    const offset = ms - this.#monotonic();
    if (this.#offset === undefined || offset > this.#offset || offset < this.#offset - OUTDATED_MS)
      this.#offset = offset;
  };

  /** The time of day, in whole milliseconds since 1970. Before the first answer, it is the time of our own clock. */
  readonly now = (): number => Math.floor(this.#offset === undefined ? this.#own() : this.#monotonic() + this.#offset);
}
