/** Answers the requests to the local server of the page. The server serves two paths, but no files. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { LivePage } from '../../page/live-page.ts';
import { Access, refusalOf } from './access.ts';
import { beginSession, refuse, sendEvents, sendPage } from './responses.ts';

export interface Served {
  readonly page: LivePage;
  /** Yields the events for one page, until the signal is aborted. */
  events(signal: AbortSignal): AsyncGenerator<string>;
}

/** The maximum number of pages that may be open at the same time. */
const MOST_STREAMS = 16;

const TOKEN = /^\/\?token=([\w-]{1,100})$/;
const NO_SESSION = {
  status: 401,
  text: 'open the link that `cappol ui` printed. The link works once: for another browser, start `cappol ui` again',
};

export class Requests {
  readonly #served: Served;
  readonly #host: string;
  /** The cookie's name contains the port, because a browser sends a cookie to all ports of an address. */
  readonly #cookie: string;
  readonly #closing: AbortSignal;
  readonly #access = new Access();
  #streams = 0;

  constructor(served: Served, { address, port }: { address: string; port: number }, closing: AbortSignal) {
    this.#served = served;
    this.#host = `${address}:${port}`;
    this.#cookie = `cappol-${port}`;
    this.#closing = closing;
  }

  /** The link to the page, including the token. */
  get link(): string {
    return `http://${this.#host}/?token=${this.#access.token}`;
  }

  /** Answers a request. @throws the error of the connection if the connection is closed */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { url = '', headers } = request;
    const refusal = refusalOf(request, this.#host);
    const token = TOKEN.exec(url)?.[1];
    const isKnown = url === '/' || url === '/events';
    if (refusal) refuse(response, refusal);
    else if (token !== undefined) this.#begin(response, token);
    else if (!isKnown) refuse(response, { status: 404, text: 'not found' });
    else if (!this.#access.allows(headers.cookie, this.#cookie)) refuse(response, NO_SESSION);
    else if (url === '/') sendPage(response, this.#served.page);
    else await this.#stream(request, response);
  }

  #begin(response: ServerResponse, token: string): void {
    const session = this.#access.exchange(token);
    if (session === undefined) refuse(response, NO_SESSION);
    else beginSession(response, `${this.#cookie}=${session}`);
  }

  async #stream(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#streams >= MOST_STREAMS) {
      refuse(response, { status: 503, text: 'too many pages are open' });
      return;
    }
    this.#streams++;
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    try {
      const events = this.#served.events(AbortSignal.any([gone.signal, this.#closing]));
      await sendEvents(request, response, events);
    } finally {
      this.#streams--;
    }
  }
}
