/**
 * Runs long work that yields to the event loop. When the work yields, the process can answer requests, fire timers and
 * receive signals. In each iteration of the event loop, at most one task with long work runs.
 */
import { setImmediate } from 'node:timers/promises';
import { type Clock, SYSTEM_CLOCK } from './clock.ts';

/**
 * The length of a turn in ms. A turn is so short that requests hardly wait. A turn is also long enough that a task
 * needs only a small number of iterations of the event loop.
 */
const TURN_MS = 10;

export interface Done<Result> {
  readonly result: Result;
  /** The time in ms that this task has used, without the time of other tasks. */
  readonly spentMs: number;
}

export class Turns {
  readonly #clock: Pick<Clock, 'now'>;
  #last: Promise<unknown> = Promise.resolve();

  constructor(clock: Pick<Clock, 'now'> = SYSTEM_CLOCK) {
    this.#clock = clock;
  }

  /**
   * @param work a generator that yields often, so that each of its steps is short
   * @param goesOn returns whether to continue. The method calls `goesOn` before each turn
   * @returns undefined as soon as `goesOn` returns false
   */
  async run<Result>(work: Generator<void, Result>, goesOn: () => boolean): Promise<Done<Result> | undefined> {
    let spentMs = 0;
    for (;;) {
      await this.#turn();
      if (!goesOn()) return undefined;
      const began = this.#clock.now();
      let now = began;
      while (now < began + TURN_MS) {
        const { done, value } = work.next();
        now = this.#clock.now();
        if (done) return { result: value, spentMs: spentMs + now - began };
      }
      spentMs += now - began;
    }
  }

  /** Resolves in an iteration of the event loop in which no other task runs. */
  #turn(): Promise<unknown> {
    this.#last = this.#last.then(() => setImmediate());
    return this.#last;
  }
}
