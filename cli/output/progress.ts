/** Shows the progress of long work as a line on a terminal. In a pipe, no progress is shown. */
import type { Io } from '../command.ts';

/** The time after which progress is shown, in ms. Short work therefore shows no progress. */
const PATIENCE_MS = 700;
const EVERY_MS = 100;

export class Progress {
  readonly #stderr: Io['stderr'];
  #next = performance.now() + PATIENCE_MS;
  #shown = false;

  constructor({ stderr }: Pick<Io, 'stderr'>) {
    this.#stderr = stderr;
  }

  /** @param text returns the text of the line, and is called only if the line is shown */
  at(text: () => string): void {
    const now = performance.now();
    if (!this.#stderr.isTTY || now < this.#next) return;
    this.#next = now + EVERY_MS;
    this.#shown = true;
    this.#stderr.write(`\r\x1b[K${text()}`);
  }

  /** Removes the line. Callers must remove the line before they write other text. */
  clear(): void {
    if (this.#shown) this.#stderr.write('\r\x1b[K');
    this.#shown = false;
  }
}
