/**
 * Provides one address for all API servers, like a Service or a load balancer. The balancer forwards the bytes of each
 * connection unchanged.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export class Balancer {
  readonly #server: Server;
  readonly #connections = new Set<Socket>();
  /** The API servers to which the balancer forwards new connections in turn. */
  targets: readonly string[] = [];
  #next = 0;

  private constructor() {
    this.#server = createServer((from) => this.#pass(from));
  }

  static async start(): Promise<Balancer> {
    const balancer = new Balancer();
    balancer.#server.listen(0, '127.0.0.1');
    await once(balancer.#server, 'listening');
    return balancer;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.close();
    for (const connection of this.#connections) connection.destroy();
    await once(this.#server, 'close');
  }

  #pass(from: Socket): void {
    const target = this.targets[this.#next++ % this.targets.length];
    if (target === undefined) {
      from.destroy();
      return;
    }
    const { hostname, port } = new URL(target);
    const to = connect(Number(port), hostname);
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      this.#connections.add(one);
      one.on('error', () => {});
      one.on('close', () => {
        this.#connections.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  }
}
