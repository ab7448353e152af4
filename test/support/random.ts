/** Random numbers from a seed. A failing run can be repeated with SEED=… in the environment. */
import { SEED } from './seed.ts';

export class Random {
  readonly seed: number;
  #state: number;

  constructor(seed = SEED) {
    this.seed = seed;
    this.#state = seed;
  }

  /** A random integer that is at least 0 and less than `below`. The generator is Mulberry32. */
  int(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  }
}
