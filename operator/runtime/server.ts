/**
 * An HTTP server for probes and scrapes. The server sends small answers to GET requests on a separate address, over TLS
 * if a certificate is configured.
 */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Connections } from './connections.ts';
import type { Log } from './log.ts';

export interface Asked {
  /** The path of the request, such as `/readyz/ping`. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
  /** The content type of the answer. The default is text/plain. */
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers a request. The result is undefined for a path that the handler does not serve. */
export type Handler = (asked: Asked) => Promise<Answer | undefined>;

/** A certificate and its key, in PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface BindAddress {
  /** The address to listen on. If the address is left out, the server listens on all addresses. */
  readonly host?: string;
  /** The port to listen on. The value 0 means any free port. */
  readonly port: number;
}

interface ServerOptions {
  readonly log: Log;
  /** The certificate for TLS. The certificate is read again each minute, so that a rotated certificate is used. */
  readonly certificate?: () => Certificate;
}

export interface RunningServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * The timeout for a TLS handshake, for a request's headers, for a whole request, and for a client that does not read
 * the response.
 */
const TIMEOUT_MS = 10_000;
/** The interval at which Node checks whether connections have exceeded the timeouts. Node's default is 30 s. */
const CHECK_MS = 2_000;
const KEEP_ALIVE_MS = 5_000;
/**
 * The maximum number of connections. The server first closes the connection that has been idle longest. Because the
 * limit is high, each client gets its answer long before the client's connection would be the next to close.
 */
const MOST_CONNECTIONS = 500;
/**
 * The backlog of connections that wait to be accepted. If the backlog is full, clients wait a second before they retry.
 */
const BACKLOG = 4_096;
const CERTIFICATE_MS = 60_000;

/**
 * Reads an address in the form of controller-runtime's flags: `:8080`, `127.0.0.1:8080`, `[::1]:8080`.
 *
 * @returns undefined for `0` and for the empty string. These two values switch off the server
 * @throws Error that names the accepted forms
 */
export function parseBindAddress(text: string): BindAddress | undefined {
  if (text === '' || text === '0') return undefined;
  const [, six, four, digits] = /^(?:\[([\da-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) {
    throw new Error(`${JSON.stringify(text)} is not a valid address: [HOST]:PORT, or 0 to serve nothing`);
  }
  const host = six || four;
  return { port, ...(host && { host }) };
}

/**
 * @throws an error if the server cannot listen, for example because the port is in use, or if the certificate cannot be
 * read
 */
export async function serve(
  { host, port }: BindAddress,
  handle: Handler,
  { log, certificate }: ServerOptions,
): Promise<RunningServer> {
  const respond = (request: IncomingMessage, response: ServerResponse) => void answer(request, response, handle, log);
  const options = {
    requestTimeout: TIMEOUT_MS,
    headersTimeout: TIMEOUT_MS,
    handshakeTimeout: TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: CHECK_MS,
  };
  const [server, stopRotation] = certificate
    ? tlsServer(certificate, options, respond, log)
    : [createServer(options, respond), () => {}];
  server.timeout = TIMEOUT_MS;
  const connections = new Connections(server, MOST_CONNECTIONS);
  const listening = Promise.withResolvers<void>();
  server.once('error', listening.reject);
  server.listen({ port, backlog: BACKLOG, ...(host !== undefined && { host }) }, listening.resolve);
  await listening.promise.finally(() => server.off('error', listening.reject));
  server.on('error', (error) => log.warn('the HTTP server failed', { error }));
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      stopRotation();
      const closed = new Promise((resolve) => server.close(resolve));
      connections.close();
      await closed;
    },
  };
}

function tlsServer(
  certificate: () => Certificate,
  options: object,
  respond: (request: IncomingMessage, response: ServerResponse) => void,
  log: Log,
) {
  let current = certificate();
  const server = createTlsServer({ ...options, ...current, minVersion: 'TLSv1.2' }, respond);
  const timer = setInterval(() => {
    try {
      const next = certificate();
      if (next.cert === current.cert && next.key === current.key) return;
      server.setSecureContext({ ...next, minVersion: 'TLSv1.2' });
      current = next;
    } catch (error) {
      // If the file cannot be read, the server keeps the previous certificate, because the file may be half written.
      log.warn('the certificate cannot be read', { error });
    }
  }, CERTIFICATE_MS);
  timer.unref();
  return [server, () => clearInterval(timer)] as const;
}

async function answer(request: IncomingMessage, response: ServerResponse, handle: Handler, log: Log): Promise<void> {
  const { status, body, contentType, headers } = await answerTo(request, handle, log);
  response.writeHead(status, {
    'content-type': contentType ?? 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

async function answerTo(request: IncomingMessage, handle: Handler, log: Log): Promise<Answer> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return { status: 405, body: 'only GET is served\n', headers: { allow: 'GET, HEAD' } };
  }
  const [path = '/', query = ''] = (request.url ?? '/').split('?', 2);
  try {
    const found = await handle({ path, query: new URLSearchParams(query), headers: request.headers });
    return found ?? { status: 404, body: 'not found\n' };
  } catch (error) {
    log.error('a request was not answered', { path, error });
    return { status: 500, body: 'internal error\n' };
  }
}
