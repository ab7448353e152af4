/**
 * Controls the access to the local server. Other users of the machine, and web pages in the user's browser, can reach
 * the server. The server therefore answers only the browser that opened the link from the terminal. The server refuses
 * requests from pages of another origin.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

export interface Refusal {
  readonly status: number;
  /** The reason for the refusal, as one line for users. */
  readonly text: string;
}

/**
 * @param host the address of the server, such as `127.0.0.1:40123`. If a user opens the same address by a host name,
 * the browser treats the page as another origin
 */
export function refusalOf(request: IncomingMessage, host: string): Refusal | undefined {
  const { method, headers, headersDistinct } = request;
  if (method !== 'GET') return { status: 405, text: 'only GET is served' };
  if (headersDistinct.host?.length !== 1 || headers.host !== host) {
    return { status: 403, text: `wrong Host: the page is at http://${host}` };
  }
  const { origin, 'sec-fetch-site': site } = headers;
  if (origin !== undefined && origin !== `http://${host}`) return { status: 403, text: 'refused: another origin' };
  // If a user typed or pasted the address into a browser, the header `Sec-Fetch-Site` has the value `none`.
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    return {
      status: 403,
      text: "refused: the request comes from a link on another page. Paste the address into the browser's address bar",
    };
  }
  const hasBody = headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
  return hasBody ? { status: 400, text: 'a request must not have a body' } : undefined;
}

/**
 * Stores two secrets: the token in the link, and the session. A browser that sends the token gets the session. The
 * token works only once.
 */
export class Access {
  readonly token = secret();
  readonly #session = secret();
  #used = false;

  /** @returns the session, or undefined if the token is wrong or was used before */
  exchange(token: string): string | undefined {
    if (this.#used || !isEqual(token, this.token)) return undefined;
    this.#used = true;
    return this.#session;
  }

  /**
   * @param cookies the header that contains all cookies
   * @param name the name of the cookie that contains the session
   */
  allows(cookies: string | undefined, name: string): boolean {
    const values = (cookies ?? '').split(/;\s*/).map((cookie) => cookie.split('=', 2));
    return values.some(([key, value]) => key === name && value !== undefined && isEqual(value, this.#session));
  }
}

function secret(): string {
  return randomBytes(32).toString('base64url');
}

/** Compares two strings in constant time. */
function isEqual(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
