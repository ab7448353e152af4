import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../operator/runtime/clock.ts';

/**
 * The number of turns of the event loop to wait. This number is enough for a few consecutive requests. The fake API
 * server answers each request one turn later.
 */
const TURNS = 8;

/** Runs all work that does not wait for a later time of the clock. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await setImmediate();
}

interface Sleeper {
  readonly due: number;
  readonly wake: () => void;
}

/** A clock that advances only when the test calls `advance`. */
export class FakeClock implements Clock {
  #now = 1_000_000;
  readonly #sleepers = new Set<Sleeper>();

  readonly now = () => this.#now;
  readonly date = () => new Date(Date.UTC(2026, 0) + this.#now);

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const sleeper = {
        due: this.#now + ms,
        wake: () => {
          this.#sleepers.delete(sleeper);
          resolve();
        },
      };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', sleeper.wake, { once: true });
    });
  }

  /** Advances the clock by `ms`. When the time of a sleeper comes, the function wakes the sleeper. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (;;) {
      const [next] = [...this.#sleepers].sort((a, b) => a.due - b.due);
      if (!next || next.due > end) break;
      this.#now = Math.max(this.#now, next.due);
      next.wake();
      await settle();
    }
    this.#now = Math.max(this.#now, end);
  }

  /** Advances the time as if the process were stopped. No sleeper wakes until the next `advance`. */
  stop(ms: number): void {
    this.#now += ms;
  }
}
