/** Time, passed in so that tests can advance it. */
import { setTimeout as wait } from 'node:timers/promises';

export interface Clock {
  /**
   * Milliseconds since some moment; monotonic. Counts while the process is stopped; on Linux not while the whole
   * machine is suspended (CLOCK_MONOTONIC, as Go's).
   */
  now(): number;
  /** The time of day: for people only, since somebody may set the clock. */
  date(): Date;
  /** Resolves after `ms`, or as soon as `signal` is aborted. Later than requested when the process was stopped. */
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
