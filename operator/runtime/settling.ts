/** Waits until a burst of changes is over, so that what somebody changes together becomes one state. */
import { type Clock, SYSTEM_CLOCK } from './clock.ts';

interface SettlingOptions {
  /** How long nothing has to change. */
  readonly quietMs: number;
  /** How long it waits at most after the first change. */
  readonly mostMs: number;
  readonly clock?: Pick<Clock, 'now' | 'sleep'>;
}

export class Settling {
  readonly #options: Required<SettlingOptions>;
  #first: number | undefined;
  #last = 0;
  #hurried = new AbortController();

  constructor(options: SettlingOptions) {
    this.#options = { clock: SYSTEM_CLOCK, ...options };
  }

  /** Something changed that may belong together with what changes next. */
  changed(): void {
    this.#last = this.#options.clock.now();
    this.#first ??= this.#last;
  }

  /** The changes are needed at once. */
  hurry(): void {
    this.#hurried.abort();
  }

  get isSettled(): boolean {
    return this.#leftMs() <= 0;
  }

  /** Resolves when it is settled. */
  async settled(): Promise<void> {
    while (!this.isSettled) await this.#options.clock.sleep(this.#leftMs(), this.#hurried.signal);
  }

  /** The changes are used now. */
  begin(): void {
    this.#first = undefined;
    this.#hurried = new AbortController();
  }

  #leftMs(): number {
    const { quietMs, mostMs, clock } = this.#options;
    if (this.#first === undefined || this.#hurried.signal.aborted) return 0;
    return Math.min(this.#last + quietMs, this.#first + mostMs) - clock.now();
  }
}
