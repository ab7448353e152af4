/** A line on a terminal that tells how far long work has come; in a pipe, nothing. */
import type { Io } from '../command.ts';

/** Short work needs no word. */
const PATIENCE_MS = 700;
const EVERY_MS = 100;

export class Progress {
  readonly #stderr: Io['stderr'];
  #next = performance.now() + PATIENCE_MS;
  #shown = false;

  constructor({ stderr }: Pick<Io, 'stderr'>) {
    this.#stderr = stderr;
  }

  /** @param text made only when it is to be shown */
  at(text: () => string): void {
    const now = performance.now();
    if (!this.#stderr.isTTY || now < this.#next) return;
    this.#next = now + EVERY_MS;
    this.#shown = true;
    this.#stderr.write(`\r\x1b[K${text()}`);
  }

  /** Before anything else is written. */
  clear(): void {
    if (this.#shown) this.#stderr.write('\r\x1b[K');
    this.#shown = false;
  }
}
