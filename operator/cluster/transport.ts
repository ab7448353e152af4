/**
 * Sends one request to an API server. This file adds credentials and timeouts, repeats the request if the server asks
 * for a retry, and turns error answers into ApiErrors.
 */
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Dispatcher, request } from 'undici';
import type { RateLimit } from '../runtime/rate-limit.ts';
import { ApiError, isOverloaded, parseError } from './api-error.ts';
import type { Connection } from './connection.ts';

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Query;
  /** The request's body, which the client sends as JSON. */
  readonly body?: unknown;
  readonly contentType?: string;
  /** The content type to request. If the field is absent, the client requests the object in JSON. */
  readonly accept?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /**
   * The connection may be silent for this time in ms between two parts of the answer. The default is `timeoutMs`.
   */
  readonly idleMs?: number;
  /** Receives the texts of the warnings in a successful answer. */
  readonly onWarnings?: (texts: readonly string[]) => void;
}

export interface Settings {
  /** The time in ms to wait for the headers of an answer. */
  readonly timeoutMs: number;
  /** Whether a connection may serve more than one request. */
  readonly reuse: boolean;
  /** Limits the rate of all requests except GET. */
  readonly writes: RateLimit;
  /**
   * The client calls this function immediately before it sends a write. When the client calls the function, the write
   * has already waited for its turn and for a connection. If the function throws, the client does not send the write,
   * and the request fails with the error of the function.
   */
  readonly beforeWrite?: (() => void) | undefined;
  /** Receives the HTTP status of each answer, or `<error>` if there was no answer. */
  readonly onAnswer?: ((method: string, code: string) => void) | undefined;
  /** Receives the server's time from each answer, in milliseconds since 1970, rounded to seconds. */
  readonly onTime?: ((ms: number) => void) | undefined;
}

export type Body = Dispatcher.ResponseData['body'];

const MAX_RETRIES = 4;
const MAX_RETRY_WAIT_S = 10;

/**
 * Sends the request and returns the body of a successful answer. Retries a few times if the server is overloaded or
 * starting (429 or 503 with Retry-After). If the server asks for a wait longer than MAX_RETRY_WAIT_S, the function does
 * not retry.
 *
 * @throws ApiError for any other answer. The error has the value of the header Retry-After. If no answer came, the
 * function throws undici's error
 */
export async function send(connection: Connection, settings: Settings, call: Call): Promise<Body> {
  for (let attempt = 0; ; attempt++) {
    const { statusCode, headers, body } = await counted(connection, settings, call);
    if (statusCode >= 200 && statusCode < 300) {
      call.onWarnings?.([headers.warning ?? []].flat().flatMap(warningTexts));
      return body;
    }
    const parts = parseError(statusCode, await body.text(), headers['retry-after']?.toString());
    const error = new ApiError(parts, `${call.method} ${call.path}`);
    const wait = isOverloaded(error) ? (parts.retryAfterSeconds ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
    if (wait > MAX_RETRY_WAIT_S || attempt === MAX_RETRIES) throw error;
    // The wait has jitter. Without jitter, all clients that the server refused would retry at the same time.
    await sleep(wait * (1 + Math.random() / 4) * 1000, undefined, call.signal && { signal: call.signal });
  }
}

async function counted(connection: Connection, settings: Settings, call: Call): Promise<Dispatcher.ResponseData> {
  let code = '<error>';
  try {
    const answer = await exchange(connection, settings, call);
    code = String(answer.statusCode);
    const time = Date.parse(String(answer.headers.date ?? ''));
    if (!Number.isNaN(time)) settings.onTime?.(time);
    return answer;
  } finally {
    settings.onAnswer?.(call.method, code);
  }
}

async function exchange(connection: Connection, settings: Settings, call: Call): Promise<Dispatcher.ResponseData> {
  const { method, path, contentType, signal } = call;
  const body = call.body === undefined ? undefined : JSON.stringify(call.body);
  // A dry run writes nothing, so there is no rate limit for dry runs. Probes must not wait for the rate limit of
  // writes, and writes must not wait because of probes.
  if (method !== 'GET' && !call.query?.dryRun) {
    const wait = settings.writes.take();
    if (wait > 0) await sleep(wait);
  }
  const url = urlOf(connection.server, path, call.query);
  const { headers, dispatcher } = await connection.access(url);
  const answer = await request(url, {
    method,
    headers: {
      ...headers,
      accept: call.accept ?? 'application/json',
      'user-agent': 'capabilitypolicy',
      ...(body !== undefined && {
        'content-type': contentType ?? 'application/json',
        'content-length': String(Buffer.byteLength(body)),
      }),
    },
    ...(body !== undefined && { body: lastChecked(body, settings) }),
    ...(dispatcher && { dispatcher }),
    ...(signal && { signal }),
    headersTimeout: settings.timeoutMs,
    bodyTimeout: call.idleMs ?? settings.timeoutMs,
    reset: !settings.reuse,
  });
  if (answer.statusCode === 401) connection.refused(headers);
  return answer;
}

/**
 * undici does not read the body before the request has a connection. A check inside the body therefore runs immediately
 * before the client sends the write. Every write has a body.
 */
function lastChecked(body: string, { beforeWrite }: Settings): Readable {
  async function* pulled() {
    beforeWrite?.();
    yield body;
  }
  // undici accepts any async iterable (docs/api/Dispatcher.md), but its types allow only streams.
  return pulled() as AsyncIterable<string> as Readable;
}

/** The texts in a header Warning. API servers write `299 - "TEXT"`, with backslashes before quotes (RFC 7234). */
function warningTexts(header: string): string[] {
  return [...header.matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) => text.replaceAll(/\\(.)/g, '$1'));
}

function urlOf(server: string, path: string, query: Query = {}): string {
  const url = new URL(server + path);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  return url.toString();
}
