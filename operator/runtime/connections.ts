/**
 * The connections of a server, of which it keeps only so many. A new one is always accepted: where there are too many, the
 * one that has been idle for the longest goes. So clients that hold connections open, thousands of them too, keep neither a
 * probe nor a scrape out.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

interface Connection {
  readonly socket: Socket;
  /** Requests that are being answered. */
  readonly busy: number;
}

export class Connections {
  readonly #most: number;
  /** The one that has been idle for the longest first; by the client's address and port, which TLS does not change. */
  readonly #connections = new Map<string, Connection>();

  /** @param most how many are kept */
  constructor(server: Server, most: number) {
    this.#most = most;
    server.on('connection', (socket: Socket) => this.#accept(socket));
    server.on('request', (request: IncomingMessage, response: ServerResponse) => this.#serve(request.socket, response));
  }

  /** Ends all of them; `closeAllConnections` does not know those that are still in their TLS handshake. */
  close(): void {
    for (const { socket } of this.#connections.values()) socket.destroy();
  }

  #accept(socket: Socket): void {
    const key = keyOf(socket);
    // Gone already.
    if (key === undefined) return;
    if (this.#connections.size >= this.#most) this.#dropIdlest();
    this.#connections.set(key, { socket, busy: 0 });
    socket.once('close', () => {
      if (this.#connections.get(key)?.socket === socket) this.#connections.delete(key);
    });
  }

  #serve(socket: Socket, response: ServerResponse): void {
    const key = keyOf(socket);
    if (key === undefined) return;
    this.#change(key, 1);
    response.once('close', () => this.#change(key, -1));
  }

  /** It moves to the end: it is no longer among those that have been idle for the longest. */
  #change(key: string, by: number): void {
    const connection = this.#connections.get(key);
    if (!connection) return;
    this.#connections.delete(key);
    this.#connections.set(key, { ...connection, busy: connection.busy + by });
  }

  #dropIdlest(): void {
    const idle = this.#connections.entries().find(([, { busy }]) => busy === 0);
    const [key, connection] = idle ?? this.#connections.entries().next().value ?? [];
    if (key === undefined) return;
    this.#connections.delete(key);
    connection?.socket.destroy();
  }
}

function keyOf({ remoteAddress, remotePort }: Socket): string | undefined {
  return remoteAddress === undefined ? undefined : `${remoteAddress} ${remotePort}`;
}
