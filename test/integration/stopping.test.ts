/** Tests the time that the operator needs to end, in different situations. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { waitFor } from '../../hack/controlplane/wait.ts';
import { OPERATOR_NAMESPACE, useCluster } from '../support/harness.ts';
import { OperatorProcess } from '../support/operator-process.ts';

const WITHIN_MS = 2_000;
/**
 * The number of policies. The policies share their namespaces, so each program contains all policies. Programs with
 * many policies take long to compile and load.
 */
const POLICIES = 30;

describe('the operator, when it is told to end', function () {
  this.timeout(300_000);
  // A busy machine may delay the operator so much that the operator does not end within the 2 s. If the operator itself
  // is too slow, the test fails at each attempt.
  this.retries(5);
  const cluster = useCluster('stopping');
  let operator: OperatorProcess;

  before(async () => {
    await cluster.operator.stop();
    for (let index = 0; index < POLICIES; index++) {
      await cluster.policy(`p${index}`, {
        namespaceSelector: { matchExpressions: [{ key: `not-${index}`, operator: 'DoesNotExist' }] },
        level: 'restricted',
        mode: 'Enforce',
      });
    }
  });

  afterEach(async () => void (await operator.stop('SIGKILL')));

  async function run(kubeconfig: string, ...flags: readonly string[]): Promise<void> {
    operator = new OperatorProcess([
      ...['--kubeconfig', kubeconfig, '--operator-namespace', OPERATOR_NAMESPACE],
      ...flags,
    ]);
    await operator.start();
  }

  async function logged(message: string): Promise<void> {
    const look = () => operator.log.some((entry) => entry.message === message);
    await waitFor(message, look, { timeoutMs: 60_000, intervalMs: 1 });
  }

  /**
   * Sends a signal to the operator, and waits until the operator ends.
   * @returns the last line of its log
   */
  async function ends(signal: 'SIGTERM' | 'SIGINT'): Promise<string | undefined> {
    const began = performance.now();
    const code = await operator.stop(signal);
    const took = Math.round(performance.now() - began);
    console.log(`      ended ${took} ms after ${signal}`);
    assert.equal(code, 0);
    assert.ok(took <= WITHIN_MS, `it took ${took} ms`);
    return operator.log.at(-1)?.message;
  }

  it('the operator ends within 2 s while it compiles many policies', async () => {
    await run(cluster.operatorKubeconfig, '--leader-elect');
    await logged('started leading');
    assert.equal(await ends('SIGTERM'), 'stopped');
  });

  it('the operator ends within 2 s while it writes, and releases the lease', async () => {
    await run(cluster.operatorKubeconfig, '--leader-elect');
    await logged('created object');
    assert.equal(await ends('SIGTERM'), 'stopped');
    assert.ok(operator.log.some(({ message }) => message === 'released the lease'));
  });

  describe('and an API server does not answer', () => {
    let relay: Relay;

    beforeEach(async () => {
      relay = await Relay.start(cluster.operatorKubeconfig);
    });

    afterEach(() => relay.stop());

    it('the operator ends within 2 s before it has read any object', async () => {
      relay.silent = true;
      await run(relay.kubeconfig, '--leader-elect');
      await waitFor('a request', () => relay.connections > 0);
      await ends('SIGINT');
    });

    it('the operator ends within 2 s while it writes, and keeps the lease, because a write may still arrive', async () => {
      await run(relay.kubeconfig, '--leader-elect');
      await logged('created object');
      relay.silent = true;
      assert.equal(await ends('SIGTERM'), 'stopped while requests were running');
      assert.ok(!operator.log.some(({ message }) => message === 'released the lease'));
    });
  });

  describe('and has nothing to do', () => {
    it('ends within 2 s', async () => {
      await cluster.deletePolicies();
      await run(cluster.operatorKubeconfig);
      // Until the process writes its first log line, the process has no signal handler. A signal would kill the process
      // immediately.
      await logged('watching');
      await cluster.settled();
      assert.equal(await ends('SIGTERM'), 'stopped');
    });
  });
});

/** A relay between the operator and the API server. A silent relay forwards nothing in either direction. */
class Relay {
  silent = false;
  connections = 0;
  readonly kubeconfig: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  static async start(kubeconfig: string): Promise<Relay> {
    const config = JSON.parse(readFileSync(kubeconfig, 'utf8'));
    const [{ cluster }] = config.clusters;
    const path = join(kubeconfig, '..', 'relay-kubeconfig');
    const relay = new Relay(new URL(cluster.server), path);
    await once(relay.#server.listen(0, '127.0.0.1'), 'listening');
    const { port } = relay.#server.address() as AddressInfo;
    cluster.server = `https://127.0.0.1:${port}`;
    await writeFile(path, JSON.stringify(config));
    return relay;
  }

  private constructor({ hostname, port }: URL, kubeconfig: string) {
    this.kubeconfig = kubeconfig;
    this.#server = createServer((client) => {
      this.connections++;
      const server = connect(Number(port), hostname);
      for (const [from, to] of [
        [client, server],
        [server, client],
      ] as const) {
        this.#sockets.add(from.on('error', () => {}));
        from.on('data', (chunk) => this.silent || to.write(chunk));
        from.on('close', () => to.destroy());
      }
    });
  }

  stop(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}
