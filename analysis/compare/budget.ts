/** Limits the number of pods and the time of a comparison. */
import { TooMany } from './too-many.ts';

/** Thrown if the time of a comparison is over. */
export class TooLate extends Error {}

/** Says whether the time of a comparison is over. */
export type IsLate = () => boolean;

/** Sets a time limit for work that may take a long time. */
export interface TimeLimit {
  /** Long steps call this function again and again. @throws TooLate */
  checkTime(): void;
}

/** Counts the pods that a comparison examines, up to its limit. */
export class Budget implements TimeLimit {
  readonly #limit: number;
  readonly #isLate: IsLate | undefined;
  #spent = 0;

  /** @param isLate if absent, the time is unlimited */
  constructor(limit: number, isLate?: IsLate) {
    this.#limit = limit;
    this.#isLate = isLate;
  }

  /** @throws TooMany or TooLate */
  spend(pods = 1): void {
    this.checkTime();
    this.#spent += pods;
    if (this.#spent > this.#limit) throw new TooMany(`more than ${this.#limit} pods`);
  }

  checkTime(): void {
    if (this.#isLate?.()) throw new TooLate('the time is over');
  }
}
