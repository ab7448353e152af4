/**
 * A key that was worked on has to cool down for some times as long as the work took: further changes are done together,
 * and the work keeps to a share of the time however large it is.
 */
import { type Clock, SYSTEM_CLOCK } from './clock.ts';

interface CooldownOptions {
  /** How many times as long as the work it lasts: with 9, a tenth of the time is worked. */
  readonly times: number;
  readonly mostMs?: number;
  readonly clock?: Pick<Clock, 'now'>;
}

export class Cooldown {
  readonly #times: number;
  readonly #most: number;
  readonly #clock: Pick<Clock, 'now'>;
  /** The end, by key. */
  readonly #until = new Map<string, number>();

  constructor({ times, mostMs = Number.POSITIVE_INFINITY, clock = SYSTEM_CLOCK }: CooldownOptions) {
    this.#times = times;
    this.#most = mostMs;
    this.#clock = clock;
  }

  /** Does the work, which is synchronous, and starts its key's cooldown. */
  after<Result>(key: string, work: () => Result): Result {
    const began = this.#clock.now();
    const result = work();
    this.start(key, this.#clock.now() - began);
    return result;
  }

  /** @param spentMs how long the work took */
  start(key: string, spentMs: number): void {
    this.#until.set(key, this.#clock.now() + Math.min(this.#most, this.#times * spentMs));
  }

  /** @returns milliseconds */
  left(key: string): number {
    return Math.max(0, (this.#until.get(key) ?? 0) - this.#clock.now());
  }

  forget(key: string): void {
    this.#until.delete(key);
  }
}
