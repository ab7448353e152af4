/**
 * Waits until a burst of changes is over. If somebody makes several changes together, the wait combines the changes
 * into one state.
 */
import { type Clock, SYSTEM_CLOCK } from './clock.ts';

interface SettlingOptions {
  /** A burst ends after this time in ms without a change. */
  readonly quietMs: number;
  /** The maximum wait in ms after the first change. */
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

  /** Records a change. The change starts a burst or continues the current burst. */
  changed(): void {
    this.#last = this.#options.clock.now();
    this.#first ??= this.#last;
  }

  /** Ends the wait at once. This method is for a caller that cannot wait for the end of the burst. */
  hurry(): void {
    this.#hurried.abort();
  }

  get isSettled(): boolean {
    return this.#leftMs() <= 0;
  }

  /** Resolves when the burst is over. */
  async settled(): Promise<void> {
    while (!this.isSettled) await this.#options.clock.sleep(this.#leftMs(), this.#hurried.signal);
  }

  /** Records that all changes so far are now in use. The next change starts a new burst. */
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
