/**
 * Shows on standard error that long work is running. On a terminal, the progress is a single line that is rewritten. In
 * a pipe or file, a new line is printed every 10 s.
 */
export class Progress {
  readonly #started = Date.now();
  readonly #timer: NodeJS.Timeout;
  #doing = '';

  constructor(what: string) {
    process.stderr.write(`${what}\n`);
    this.#timer = setInterval(() => this.#show(), process.stderr.isTTY ? 1_000 : 10_000);
  }

  /** Shows the current step. */
  doing(step: string): void {
    this.#doing = step;
  }

  end(): void {
    clearInterval(this.#timer);
    process.stderr.write(`${process.stderr.isTTY ? CLEAR_LINE : ''}  ended after ${this.#elapsed()}\n`);
  }

  #show(): void {
    const line = `  ${this.#elapsed()} ${this.#doing}`;
    process.stderr.write(
      process.stderr.isTTY ? `${CLEAR_LINE}${line.slice(0, process.stderr.columns - 1)}` : `${line}\n`,
    );
  }

  #elapsed(): string {
    const seconds = Math.round((Date.now() - this.#started) / 1000);
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  }
}

const CLEAR_LINE = '\r\u001b[K';
