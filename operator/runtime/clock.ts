/** Time that only goes on: for durations, never for dates. */
import { setTimeout as wait } from 'node:timers/promises';

export interface Clock {
  /**
   * Milliseconds since some moment. Counts while the process is stopped; on Linux not while the whole machine is
   * suspended (CLOCK_MONOTONIC, as Go's).
   */
  now(): number;
  /** Resolves after `ms`, or as soon as `signal` is aborted. Later than asked for when the process was stopped. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const MONOTONIC: Clock = {
  now: () => performance.now(),
  async sleep(ms, signal) {
    // Rejects only when aborted.
    await wait(ms, undefined, signal && { signal }).catch(() => {});
  },
};
