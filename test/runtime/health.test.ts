import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { mock } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { CertificateAuthority } from '../../hack/controlplane/certificates.ts';
import { type Check, healthHandler } from '../../operator/runtime/health.ts';
import { type Handler, parseBindAddress, type RunningServer, serve } from '../../operator/runtime/server.ts';
import { RecordingLog } from '../support/recording-log.ts';

const fails: Check = () => {
  throw new Error('the secret reason');
};

describe('healthHandler', () => {
  let log: RecordingLog;

  beforeEach(() => {
    log = new RecordingLog();
  });

  async function ask(url: string, readyz: Readonly<Record<string, Check>> = {}) {
    const [path = '', query] = url.split('?');
    const handle = healthHandler({ '/healthz': {}, '/readyz': readyz }, { log, timeoutMs: 20 });
    const answer = await handle({ path, query: new URLSearchParams(query), headers: {} });
    return answer && `${answer.status} ${answer.body}`;
  }

  const synced: Check = async () => {};
  const answers: [title: string, url: string, checks: Record<string, Check>, answer: string | undefined][] = [
    ['says ok', '/healthz', {}, '200 ok'],
    ['accepts a slash at the end', '/healthz/', {}, '200 ok'],
    [
      'names the checks on request',
      '/readyz?verbose',
      { synced },
      '200 [+]ping ok\n[+]synced ok\nreadyz check passed\n',
    ],
    [
      'names them when one fails, without the reason',
      '/readyz',
      { synced: fails },
      '500 [+]ping ok\n[-]synced failed: reason withheld\nreadyz check failed\n',
    ],
    ['keeps the endpoints apart', '/healthz', { synced: fails }, '200 ok'],
    [
      'counts a rejection as a failure',
      '/readyz/synced',
      { synced: () => Promise.reject(new Error('no')) },
      '500 internal server error: reason withheld\n',
    ],
    [
      'counts a hanging check as a failure',
      '/readyz/synced',
      { synced: () => new Promise(() => {}) },
      '500 internal server error: reason withheld\n',
    ],
    ['serves one check', '/readyz/synced', { synced, other: fails }, '200 ok'],
    [
      'leaves checks out',
      '/readyz?exclude=synced&verbose',
      { synced: fails },
      '200 [+]ping ok\n[+]synced excluded: ok\nreadyz check passed\n',
    ],
    [
      'names excluded checks that do not exist',
      '/readyz?exclude=b&exclude=a&verbose',
      {},
      '200 [+]ping ok\nwarn: no checks to exclude are named a, b\nreadyz check passed\n',
    ],
    ['answers 404 for an unknown check', '/readyz/constructor', {}, undefined],
    ['answers 404 for other paths', '/readyzz', {}, undefined],
  ];
  for (const [title, url, checks, answer] of answers) {
    it(title, async () => assert.equal(await ask(url, checks), answer));
  }

  it('logs the reason', async () => {
    await ask('/readyz', { synced: fails });
    assert.match(String(log.entries[0]?.keys.error), /the secret reason/);
    assert.equal(log.entries[0]?.keys.check, 'synced');
  });
});

/** Clients that hold connections open. Whenever a connection is closed, the client opens another connection. */
class IdleClients {
  readonly #port: number;
  readonly #opening: string;
  readonly #sockets = new Set<Socket>();
  #closed = false;

  constructor(port: number, opening: string) {
    this.#port = port;
    this.#opening = opening;
  }

  async open(count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, () => once(this.#openOne(), 'connect')));
  }

  close(): void {
    this.#closed = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  #openOne(): Socket {
    const socket = connectTcp(this.#port, '127.0.0.1');
    this.#sockets.add(socket);
    socket.on('connect', () => socket.write(this.#opening));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#sockets.delete(socket);
      setTimeout(() => this.#closed || this.#openOne(), 5_000 + Math.random() * 20_000);
    });
    return socket;
  }
}

const IDLE = 3_000;
/**
 * The timeout of a probe in ms. The timeout is long, because the probes and the clients share one process. On a busy
 * machine, this process may wait for seconds. A server without free connections refuses the probe at once. A server
 * that waits for its clients does not answer within the timeout.
 */
const PROBE_MS = 60_000;

describe('serve', () => {
  const running: RunningServer[] = [];
  const log = new RecordingLog();

  async function start(handle: Handler): Promise<string> {
    const server = await serve({ host: '127.0.0.1', port: 0 }, handle, { log });
    running.push(server);
    return `http://127.0.0.1:${server.port}`;
  }

  after(() => Promise.all(running.map((server) => server.close())));

  it('answers GET and HEAD, and nothing else', async () => {
    const url = await start(async ({ path, query }) => ({ status: 200, body: `${path} ${query.get('a')}` }));
    const got = await fetch(`${url}/x?a=b`);
    assert.equal(await got.text(), '/x b');
    assert.equal(got.headers.get('x-content-type-options'), 'nosniff');
    const head = await fetch(`${url}/x`, { method: 'HEAD' });
    assert.deepEqual([head.status, await head.text(), head.headers.get('content-length')], [200, '', '7']);
    assert.equal((await fetch(url, { method: 'POST', body: 'x' })).status, 405);
  });

  it('answers 404 for an unknown path, and answers 500 without a reason if the handler fails', async () => {
    const url = await start(async ({ path }) => {
      if (path === '/fails') throw new Error('secret');
      return undefined;
    });
    assert.equal((await fetch(`${url}/other`)).status, 404);
    const failed = await fetch(`${url}/fails`);
    assert.deepEqual([failed.status, await failed.text()], [500, 'internal error\n']);
    assert.deepEqual(log.messages('error'), ['a request was not answered']);
  });

  for (const [what, opening] of [
    ['say nothing', ''],
    ['begin a request and never end it', 'GET /healthz HTTP/1.1\r\nhost: a\r\n'],
  ] as const) {
    it(`answers probes while ${IDLE} clients hold connections open that ${what}`, async function () {
      this.timeout(600_000);
      const url = await start(healthHandler({ '/healthz': {} }, { log }));
      const idle = new IdleClients(Number(new URL(url).port), opening);
      try {
        await idle.open(IDLE);
        for (let probe = 0; probe < 20; probe++) {
          const answer = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(PROBE_MS) });
          assert.equal(await answer.text(), 'ok');
          await sleep(100);
        }
      } finally {
        idle.close();
      }
    });
  }

  it('answers probes over TLS while other clients hold connections open without a TLS handshake', async () => {
    const { certificate, key } = new CertificateAuthority().issue({ commonName: 'metrics', dnsNames: ['localhost'] });
    const server = await serve({ host: '127.0.0.1', port: 0 }, async () => ({ status: 200, body: 'ok' }), {
      log,
      certificate: () => ({ cert: certificate, key }),
    });
    running.push(server);
    const idle = new IdleClients(server.port, '');
    try {
      await idle.open(1_000);
      const socket = connect({ port: server.port, host: '127.0.0.1', rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      // The test's own connection sends requests. The connections of the other clients are therefore idle for longer
      // than the test's own connection.
      for (let request = 0; request < 3; request++) {
        socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
        const [answer] = await once(socket, 'data');
        assert.match(String(answer), /^HTTP\/1\.1 200 /);
        await sleep(10);
      }
      socket.destroy();
    } finally {
      idle.close();
    }
  });

  it('rejects when the port is taken', async () => {
    const port = Number(new URL(await start(async () => undefined)).port);
    await assert.rejects(
      serve({ host: '127.0.0.1', port }, async () => undefined, { log }),
      /EADDRINUSE/,
    );
  });

  it('serves over TLS, and uses the new certificate after a rotation', async () => {
    const authority = new CertificateAuthority();
    const issue = () => {
      const { certificate, key } = authority.issue({ commonName: 'metrics', dnsNames: ['localhost'] });
      return { cert: certificate, key };
    };
    let current = issue();
    mock.timers.enable({ apis: ['setInterval'] });
    try {
      const handle: Handler = async () => ({ status: 200, body: 'shown' });
      const server = await serve({ host: '127.0.0.1', port: 0 }, handle, { log, certificate: () => current });
      running.push(server);
      const first = await servedCertificate(server.port, authority);
      assert.equal(first, new X509Certificate(current.cert).fingerprint256);
      current = issue();
      mock.timers.tick(60_000);
      const second = await servedCertificate(server.port, authority);
      assert.equal(second, new X509Certificate(current.cert).fingerprint256);
      assert.notEqual(second, first);
      current = { cert: 'half writ', key: '' };
      mock.timers.tick(60_000);
      assert.equal(await servedCertificate(server.port, authority), second);
    } finally {
      mock.timers.reset();
    }
  });

  it('closes the server, although a client never begins the TLS handshake', async () => {
    const { certificate, key } = new CertificateAuthority().issue({ commonName: 'metrics', dnsNames: ['localhost'] });
    const options = { log, certificate: () => ({ cert: certificate, key }) };
    const server = await serve({ host: '127.0.0.1', port: 0 }, async () => undefined, options);
    const client = connectTcp(server.port, '127.0.0.1');
    const ended = new Promise((resolve) => client.once('close', resolve));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await server.close();
    await ended;
  });

  it('closes though a client stays', async () => {
    const server = await serve({ host: '127.0.0.1', port: 0 }, () => new Promise(() => {}), { log });
    const hanging = fetch(`http://127.0.0.1:${server.port}/`);
    hanging.catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 50));
    await server.close();
    await assert.rejects(hanging);
  });
});

describe('parseBindAddress', () => {
  const addresses: [text: string, address: object | undefined][] = [
    [':8080', { port: 8080 }],
    ['127.0.0.1:8081', { host: '127.0.0.1', port: 8081 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
    ['[::1]:8081', { host: '::1', port: 8081 }],
    ['0', undefined],
    ['', undefined],
  ];
  for (const [text, address] of addresses) {
    it(`reads ${JSON.stringify(text)}`, () => assert.deepEqual(parseBindAddress(text), address));
  }

  for (const text of ['8080', 'host', '::1:80', ':80808', ':-1', '[::1]']) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseBindAddress(text), /\[HOST\]:PORT, or 0/);
    });
  }
});

/** The fingerprint of a server's certificate. The function checks that the given authority issued the certificate. */
async function servedCertificate(port: number, { certificate }: CertificateAuthority): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ca: certificate });
  await once(socket, 'secureConnect');
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}
