/** The local server of the page, which listens on the loopback address. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Connections } from '../../../operator/runtime/connections.ts';
import { UsageError } from '../../command.ts';
import { Requests, type Served } from './requests.ts';

export interface PageServer {
  /** The link to the page, with a token that can be used only once. */
  readonly link: string;
  close(): Promise<void>;
}

const ADDRESS = '127.0.0.1';
/**
 * The maximum number of connections. If the number of connections exceeds the maximum, the server closes the connection
 * that was idle for the longest time.
 */
const MOST_CONNECTIONS = 32;
/**
 * The maximum number of connections that wait to be accepted. If more connections are waiting, a browser tries again
 * after a second.
 */
const BACKLOG = 4_096;
/**
 * The timeout for the headers of a request, for a whole request, and for an idle connection between two requests, in
 * ms.
 */
const REQUEST_MS = 5_000;
const CHECK_MS = 1_000;
/**
 * The timeout for a connection whose page reads no data, in ms. If the page starts to read again after the timeout, the
 * page opens a new connection.
 */
const STALLED_MS = 60_000;
const MOST_HEADER_BYTES = 8 * 1024;

/** @param port the port; 0 means any free port @throws UsageError if the port is in use */
export async function servePage(served: Served, port: number): Promise<PageServer> {
  const closing = new AbortController();
  const server = createServer({
    requestTimeout: REQUEST_MS,
    headersTimeout: REQUEST_MS,
    keepAliveTimeout: REQUEST_MS,
    connectionsCheckingInterval: CHECK_MS,
    maxHeaderSize: MOST_HEADER_BYTES,
  });
  server.timeout = STALLED_MS;
  const connections = new Connections(server, MOST_CONNECTIONS);
  server.listen({ host: ADDRESS, port, backlog: BACKLOG });
  await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(error.code === 'EADDRINUSE' ? `--port ${port} is in use` : error.message);
  });
  const own = { address: ADDRESS, port: (server.address() as AddressInfo).port };
  const requests = new Requests(served, own, closing.signal);
  server.on('request', (request, response) => {
    // A page that closes its connection gets no response.
    requests.answer(request, response).catch(() => response.destroy());
  });
  return {
    link: requests.link,
    async close() {
      closing.abort();
      const closed = once(server, 'close');
      server.close();
      connections.close();
      await closed;
    },
  };
}
