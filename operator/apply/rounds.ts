/**
 * Asks about many rulesets without keeping an API server from its work. A server compiles everything that is new before it
 * enforces any of it, which takes minutes for hundreds of policies; a probe costs it about as much as a small write.
 */
import type { Clock } from '../runtime/clock.ts';
import { Cooldown } from '../runtime/cooldown.ts';
import { inParallel } from '../runtime/in-parallel.ts';

const AT_ONCE = 4;
/** A round ends after so many unwanted answers: the rest has most likely not been loaded either. */
const MOST_UNWANTED = 3;
/** An API server compiles a changed policy within a second. */
const AGAIN_MS = 100;
/** The share of its waiting time after which a ruleset is asked about again. */
const WAITED = 1 / 8;
const MOST_WAIT_MS = 10_000;
const ROUND = 'round';

/** Milliseconds of the clock. */
interface Wait {
  readonly since: number;
  readonly nextAt: number;
}

export class Rounds {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #waits = new WeakMap<object, Wait>();
  /** Rounds take at most a fifth of the time. */
  readonly #cooldown: Cooldown;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
    this.#cooldown = new Cooldown({ times: 4, mostMs: 2_000, clock });
  }

  /** @param ask whether the answer is the wanted one */
  async ask<Asked extends object>(sets: readonly Asked[], ask: (set: Asked) => Promise<boolean>): Promise<void> {
    const began = this.#clock.now();
    const due = this.#due(sets, began);
    if (due.length === 0 || this.#cooldown.left(ROUND) > 0) return;
    let unwanted = 0;
    await inParallel(due, AT_ONCE, async (set) => {
      if (unwanted >= MOST_UNWANTED) return;
      if (await ask(set)) this.#waits.delete(set);
      else {
        unwanted++;
        this.#postpone(set);
      }
    });
    if (unwanted > 0) this.#cooldown.start(ROUND, this.#clock.now() - began);
  }

  /** Those that have waited longest come first. */
  #due<Asked extends object>(sets: readonly Asked[], now: number): Asked[] {
    for (const set of sets) if (!this.#waits.has(set)) this.#waits.set(set, { since: now, nextAt: now });
    const since = (set: Asked) => this.#waits.get(set)?.since ?? now;
    return sets.filter((set) => (this.#waits.get(set)?.nextAt ?? now) <= now).toSorted((a, b) => since(a) - since(b));
  }

  #postpone(set: object): void {
    const now = this.#clock.now();
    const { since = now } = this.#waits.get(set) ?? {};
    const wait = Math.min(Math.max(AGAIN_MS, (now - since) * WAITED), MOST_WAIT_MS);
    this.#waits.set(set, { since, nextAt: now + wait });
  }
}
