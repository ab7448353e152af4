/**
 * Limits the connections of a server. The server always accepts a new connection. Above the limit, the server closes
 * the connection that was idle longest. So probes and scrapes work even if thousands of clients hold connections open.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

interface Connection {
  readonly socket: Socket;
  /** The number of requests in progress. */
  readonly busy: number;
}

export class Connections {
  readonly #most: number;
  /**
   * The connections, ordered by idle time. The connection that has been idle longest comes first. The key is the
   * client's address and port, because the TLS handshake does not change the address and port.
   */
  readonly #connections = new Map<string, Connection>();

  /** @param most the maximum number of connections */
  constructor(server: Server, most: number) {
    this.#most = most;
    server.on('connection', (socket: Socket) => this.#accept(socket));
    server.on('request', (request: IncomingMessage, response: ServerResponse) => this.#serve(request.socket, response));
  }

  /**
   * Closes all connections. Node's `closeAllConnections` would miss connections that are still in their TLS handshake.
   */
  close(): void {
    for (const { socket } of this.#connections.values()) socket.destroy();
  }

  #accept(socket: Socket): void {
    const key = keyOf(socket);
    // The connection is already closed.
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

  /** Moves the connection to the end of the map, because the connection is no longer idle. */
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
