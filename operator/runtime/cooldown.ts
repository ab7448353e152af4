/**
 * After the work for a key, the key waits for a multiple of the time that the work took. During the wait, further
 * changes are collected. So the work for a key takes at most a fixed share of the total time, even if a single run
 * takes long.
 */
import { type Clock, SYSTEM_CLOCK } from './clock.ts';

interface CooldownOptions {
  /**
   * The cooldown is this multiple of the time that the work took. For example, with the multiple 9, work takes at most
   * a tenth of the time.
   */
  readonly times: number;
  readonly mostMs?: number;
  readonly clock?: Pick<Clock, 'now'>;
}

export class Cooldown {
  readonly #times: number;
  readonly #most: number;
  readonly #clock: Pick<Clock, 'now'>;
  /** The end of the cooldown of each key. */
  readonly #until = new Map<string, number>();

  constructor({ times, mostMs = Number.POSITIVE_INFINITY, clock = SYSTEM_CLOCK }: CooldownOptions) {
    this.#times = times;
    this.#most = mostMs;
    this.#clock = clock;
  }

  /** Does synchronous work for a key, and starts the key's cooldown. */
  after<Result>(key: string, work: () => Result): Result {
    const began = this.#clock.now();
    const result = work();
    this.start(key, this.#clock.now() - began);
    return result;
  }

  /** @param spentMs the duration of the work in ms */
  start(key: string, spentMs: number): void {
    this.#until.set(key, this.#clock.now() + Math.min(this.#most, this.#times * spentMs));
  }

  /** @returns the rest of the cooldown in ms */
  left(key: string): number {
    return Math.max(0, (this.#until.get(key) ?? 0) - this.#clock.now());
  }

  forget(key: string): void {
    this.#until.delete(key);
  }
}
