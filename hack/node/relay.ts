/**
 * Connects the API server with its node. The API server and the node have no common network. The connection uses a Unix
 * socket, because Unix sockets belong to no network.
 *
 *   node relay.ts outside SOCKET PORT
 *
 * This command runs beside the API server, and forwards SOCKET to PORT.
 *
 *   node relay.ts inside SOCKET ADDRESS PROXY_SOCKET
 *
 * This command runs in the node's namespaces, and forwards ADDRESS:443 to SOCKET. ADDRESS is the address of service
 * default/kubernetes. The API server reaches kubelet and pods through PROXY_SOCKET.
 */
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';

const [side, socket = '', where = '', proxySocket = ''] = process.argv.slice(2);
if (side === 'outside') {
  forward(() => connect(Number(where), '127.0.0.1')).listen(socket);
} else {
  forward(() => connect(socket)).listen(443, where);
  proxy().listen(proxySocket);
}

function forward(target: () => Socket) {
  return createServer((client) => join(client, target()));
}

/** A proxy for HTTP CONNECT. The API server's egress selector uses HTTP CONNECT. */
function proxy() {
  return createHttpServer().on('connect', ({ url = '' }, client: Socket, head: Buffer) => {
    const colon = url.lastIndexOf(':');
    const target = connect(Number(url.slice(colon + 1)), url.slice(0, colon));
    target.once('connect', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      target.write(head);
    });
    join(client, target);
  });
}

function join(one: Socket, other: Socket): void {
  one.pipe(other).pipe(one);
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
  }
}
