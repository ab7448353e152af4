/**
 * The responses of the local server. The headers of each response tell the browser to use the response only for the
 * page.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGzip } from 'node:zlib';
import type { LivePage } from '../../page/live-page.ts';
import type { Refusal } from './access.ts';

const HEADERS = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cache-control': 'no-store',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

export function refuse(response: ServerResponse, { status, text }: Refusal): void {
  const body = `${text}\n`;
  response.writeHead(status, {
    ...HEADERS,
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    ...(status === 405 && { allow: 'GET' }),
    // The server does not read the rest of a refused request, such as its body.
    connection: 'close',
  });
  response.end(body);
}

/** Redirects to the page, at an address without the token. @param cookie the name and value of the cookie */
export function beginSession(response: ServerResponse, cookie: string): void {
  const attributes = 'HttpOnly; SameSite=Strict; Path=/';
  response.writeHead(303, { ...HEADERS, location: '/', 'set-cookie': `${cookie}; ${attributes}` });
  response.end();
}

export function sendPage(response: ServerResponse, { html, policy }: LivePage): void {
  response.writeHead(200, {
    ...HEADERS,
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy,
    'content-length': Buffer.byteLength(html),
  });
  response.end(html);
}

/**
 * Sends events as Server-Sent Events, until all events are sent.
 *
 * @throws the error of the connection if the connection is closed
 */
export async function sendEvents(
  { headers }: IncomingMessage,
  response: ServerResponse,
  events: AsyncGenerator<string>,
): Promise<void> {
  const compresses = /\bgzip\b/.test(`${headers['accept-encoding']}`);
  response.writeHead(200, {
    ...HEADERS,
    'content-type': 'text/event-stream',
    ...(compresses && { 'content-encoding': 'gzip' }),
  });
  // Each step of the pipeline waits until the next step accepts data. If a page stops reading, data therefore does not
  // pile up in memory.
  const texts = Readable.from(events, { highWaterMark: 1 });
  if (compresses) await pipeline(texts, createGzip({ flush: constants.Z_SYNC_FLUSH }), response);
  else await pipeline(texts, response);
}
