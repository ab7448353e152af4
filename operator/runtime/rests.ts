/**
 * Work that comes back with every change rests for some times as long as it took: what changes meanwhile is done
 * together, and the work keeps to a share of the time however large it is.
 */
import { type Clock, SYSTEM_CLOCK } from './clock.ts';

export interface RestsOptions {
  /** How many times as long as the work a rest is: with 9, a tenth of the time is worked. */
  readonly times: number;
  /** No rest is longer. */
  readonly mostMs?: number;
  readonly clock?: Pick<Clock, 'now'>;
}

export class Rests {
  readonly #times: number;
  readonly #most: number;
  readonly #clock: Pick<Clock, 'now'>;
  /** Until when a key rests. */
  readonly #until = new Map<string, number>();

  constructor({ times, mostMs = Number.POSITIVE_INFINITY, clock = SYSTEM_CLOCK }: RestsOptions) {
    this.#times = times;
    this.#most = mostMs;
    this.#clock = clock;
  }

  /** Does the work, which is synchronous, and lets its key rest afterwards. */
  after<Result>(key: string, work: () => Result): Result {
    const began = this.#clock.now();
    const result = work();
    this.rest(key, this.#clock.now() - began);
    return result;
  }

  /** Starts a key's cooldown after work that took the given number of milliseconds. */
  rest(key: string, spentMs: number): void {
    this.#until.set(key, this.#clock.now() + Math.min(this.#most, this.#times * spentMs));
  }

  /** @returns milliseconds that the key has still to rest */
  left(key: string): number {
    return Math.max(0, (this.#until.get(key) ?? 0) - this.#clock.now());
  }

  forget(key: string): void {
    this.#until.delete(key);
  }

  clear(): void {
    this.#until.clear();
  }
}
