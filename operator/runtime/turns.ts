/**
 * Long work that takes turns with the rest of the process: between two of its pieces, requests are answered, timers fire
 * and signals arrive. Of several such works only one has its turn in each round of the event loop.
 */
import { setImmediate } from 'node:timers/promises';
import { type Clock, SYSTEM_CLOCK } from './clock.ts';

/** So short that a request hardly waits, so long that few rounds are needed. */
const TURN_MS = 10;

export interface Done<Result> {
  readonly result: Result;
  /** Without the turns of others. */
  readonly spentMs: number;
}

export class Turns {
  readonly #clock: Pick<Clock, 'now'>;
  #last: Promise<unknown> = Promise.resolve();

  constructor(clock: Pick<Clock, 'now'> = SYSTEM_CLOCK) {
    this.#clock = clock;
  }

  /**
   * @param pieces yields after each piece, none of which should take long
   * @param goesOn asked before each turn
   * @returns undefined as soon as it is not to go on
   */
  async run<Result>(pieces: Generator<void, Result>, goesOn: () => boolean): Promise<Done<Result> | undefined> {
    let spentMs = 0;
    for (;;) {
      await this.#turn();
      if (!goesOn()) return undefined;
      const began = this.#clock.now();
      let now = began;
      while (now < began + TURN_MS) {
        const { done, value } = pieces.next();
        now = this.#clock.now();
        if (done) return { result: value, spentMs: spentMs + now - began };
      }
      spentMs += now - began;
    }
  }

  /** Resolves in a round of the event loop in which nobody else has a turn. */
  #turn(): Promise<unknown> {
    this.#last = this.#last.then(() => setImmediate());
    return this.#last;
  }
}
