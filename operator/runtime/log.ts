/**
 * Writes the log. An entry of the log is either a JSON line or a line for people. A JSON line has a constant message
 * and keys.
 *
 * The log replaces everything that looks like a credential before it writes the entry.
 */
import type { Writable } from 'node:stream';
import { createLogger, format, transports } from 'winston';

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export const LOG_FORMATS = ['json', 'console'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

/**
 * The keys and values of an entry, besides its message. The keys `message`, `level` and `time` are not allowed, because
 * every entry already has them.
 */
export type LogKeys = Readonly<Record<string, unknown>>;

export interface Log {
  error(message: string, keys?: LogKeys): void;
  warn(message: string, keys?: LogKeys): void;
  info(message: string, keys?: LogKeys): void;
  debug(message: string, keys?: LogKeys): void;
  /** Returns a log whose entries all contain `keys`. */
  child(keys: LogKeys): Log;
}

export interface LogOptions {
  readonly level?: LogLevel;
  readonly format?: LogFormat;
  readonly stream: Writable;
}

export function createLog({ level = 'info', format: shape = 'json', stream }: LogOptions): Log {
  return createLogger({
    level,
    format: format.combine(shown(), format.timestamp(), shape === 'json' ? forMachines : forPeople),
    transports: [new transports.Stream({ stream })],
  });
}

const HIDDEN = '[redacted]';
const SECRET_KEY =
  /^(authorization|cookie|set-cookie|password|passwd|secret|stringData|env|.*token|.*-key-data|headers)$/i;
const SECRET_TEXT = [
  /\b(Bearer|Basic)\s+[\w.~+/=-]+/gi,
  // A JSON Web Token, such as the token of a service account.
  /\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g,
];
/**
 * The maximum nesting of a value in the log. The limit is necessary because a value may contain a cycle. Every value
 * that is logged on purpose stays within this limit.
 */
const MAX_DEPTH = 8;

const shown = format((entry) => {
  for (const [key, value] of Object.entries(entry)) {
    entry[key] = SECRET_KEY.test(key) ? HIDDEN : render(value);
  }
  return entry;
});

const forMachines = format.printf(({ timestamp, level, message, ...keys }) =>
  JSON.stringify({ time: timestamp, level, message, ...keys }),
);

const forPeople = format.printf(({ timestamp, level, message, ...keys }) => {
  const pairs = Object.entries(keys).map(([key, value]) => ` ${key}=${forPerson(value)}`);
  return `${String(timestamp).slice(11, 23)} ${level.toUpperCase().padEnd(5)} ${message}${pairs.join('')}`;
});

/**
 * Renders a value for people. The function leaves out the stack of an error. With `--log-format json`, the log contains
 * the stack.
 */
function forPerson(value: unknown): string {
  const { stack, ...rest } = Object(value);
  return JSON.stringify(stack === undefined ? value : rest);
}

/** Converts a value for JSON output. Errors keep their important fields, and credentials are hidden. */
function render(value: unknown, depth = MAX_DEPTH): unknown {
  if (typeof value === 'string') return SECRET_TEXT.reduce((text, secret) => text.replace(secret, HIDDEN), value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth === 0) return '[…]';
  if (Array.isArray(value)) return value.map((item) => render(item, depth - 1));
  if (value instanceof Date) return value.toISOString();
  const parts = value instanceof Error ? errorParts(value) : value;
  return Object.fromEntries(
    Object.entries(parts).map(([key, part]) => [key, SECRET_KEY.test(key) ? HIDDEN : render(part, depth - 1)]),
  );
}

/**
 * The log contains these fields of an error. The log leaves out all other fields, because libraries attach requests,
 * sockets and answers with headers to their errors.
 */
const ERROR_FIELDS = ['name', 'message', 'code', 'request', 'status', 'reason', 'retryAfterSeconds', 'stack'];
const NESTED_FIELDS = ['causes', 'cause', 'errors'];

function errorParts(error: Error): Record<string, unknown> {
  const fields = error as unknown as Record<string, unknown>;
  const plain = ERROR_FIELDS.filter((field) => ['string', 'number'].includes(typeof fields[field]));
  const nested = NESTED_FIELDS.filter((field) => fields[field] !== undefined);
  return Object.fromEntries([...plain, ...nested].map((field) => [field, fields[field]]));
}
