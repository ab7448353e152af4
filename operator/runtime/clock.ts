/** A clock that callers pass as a parameter, so that tests can advance the time. */
import { setTimeout as wait } from 'node:timers/promises';

export interface Clock {
  /**
   * The time of a monotonic clock, in ms since some moment. The clock also runs while the process is stopped. On Linux,
   * the clock pauses while the whole machine is suspended (CLOCK_MONOTONIC, as in Go).
   */
  now(): number;
  /** The time of day. Use this time only in output for people, because somebody may set the clock. */
  date(): Date;
  /**
   * Resolves after `ms` milliseconds, or as soon as `signal` is aborted. If the process was stopped, the promise
   * resolves later than requested.
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  date: () => new Date(),
  async sleep(ms, signal) {
    // `wait` rejects only when the signal is aborted, so the error of `wait` can be ignored.
    await wait(ms, undefined, signal && { signal }).catch(() => {});
  },
};

/**
 * The server's clock counts as set back if the server's time is at least this number of ms earlier than expected.
 * Smaller differences are normal, because answers arrive late.
 */
const OUTDATED_MS = 30_000;

/**
 * The time of day by the API server's clock. A soak, or the wait for the expiry of a policy, may outlast the process
 * that began to measure the time. The clock of the next leader's machine may differ by an hour.
 */
export class ServerTime {
  readonly #monotonic: () => number;
  readonly #own: () => number;
  /** The server's time minus the monotonic time. Before the first answer, the value is undefined. */
  #offset: number | undefined;

  constructor(monotonic = () => performance.now(), own = () => Date.now()) {
    this.#monotonic = monotonic;
    this.#own = own;
  }

  /**
   * @param ms the time in an answer, rounded to seconds. The server sent the answer at this time, so the answer arrives
   * later
   */
  readonly saw = (ms: number): void => {
    const offset = ms - this.#monotonic();
    if (this.#offset === undefined || offset > this.#offset || offset < this.#offset - OUTDATED_MS)
      this.#offset = offset;
  };

  /**
   * The time of day, in whole milliseconds since 1970. Before the first answer, the result is the time of the machine's
   * own clock.
   */
  readonly now = (): number => Math.floor(this.#offset === undefined ? this.#own() : this.#monotonic() + this.#offset);
}
