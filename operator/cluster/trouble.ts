import type { Log, LogKeys } from '../runtime/log.ts';

/**
 * A problem that prevents a part of the program from working. The class writes one log entry when the problem begins or
 * changes, and one log entry when the problem is over.
 */
export class Trouble {
  readonly #log: Log;
  #reported: string | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  report(message: string, keys: LogKeys): void {
    const report = `${message} ${Object.values(keys).join(' ')}`;
    if (report === this.#reported) return;
    this.#reported = report;
    this.#log.warn(message, keys);
  }

  over(): void {
    if (this.#reported !== undefined) this.#log.info('following again');
    this.#reported = undefined;
  }
}
