import type { Log, LogKeys } from '../../operator/runtime/log.ts';

/** A log that keeps its entries. */
export class RecordingLog implements Log {
  readonly entries: { level: string; message: string; keys: LogKeys }[] = [];

  error = (message: string, keys: LogKeys = {}) => this.#keep('error', message, keys);
  warn = (message: string, keys: LogKeys = {}) => this.#keep('warn', message, keys);
  info = (message: string, keys: LogKeys = {}) => this.#keep('info', message, keys);
  debug = (message: string, keys: LogKeys = {}) => this.#keep('debug', message, keys);
  child = () => this;

  messages(level: string): string[] {
    return this.entries.filter((entry) => entry.level === level).map(({ message }) => message);
  }

  #keep(level: string, message: string, keys: LogKeys): void {
    this.entries.push({ level, message, keys });
  }
}
