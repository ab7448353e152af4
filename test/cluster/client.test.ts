import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { KubeConfig } from '@kubernetes/client-node';
import { CertificateAuthority } from '../../hack/controlplane/certificates.ts';
import { ApiClient, ApiError, type ClientOptions, type WatchEvent } from '../../operator/cluster/client.ts';
import { endpoints } from '../../operator/cluster/servers.ts';
import { clockMs, leastOf } from '../support/measured.ts';

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly port: number | undefined;
  readonly body: string;
}

const TOKEN = 'tok-3n';
const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'net' } };

describe('ApiClient', () => {
  let server: Server;
  let answers: Answer[] = [];
  let seen: Seen[] = [];
  const clients: ApiClient[] = [];

  before(async () => {
    server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      seen.push({
        method: request.method,
        url: request.url,
        headers: request.headers,
        port: request.socket.remotePort,
        body,
      });
      (answers.shift() ?? json({}))(response, request);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });

  beforeEach(() => {
    answers = [];
    seen = [];
  });

  after(async () => {
    await Promise.all(clients.map((client) => client.close()));
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const json =
    (value: unknown, code = 200, headers: Record<string, string> = {}): Answer =>
    (response) =>
      void response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));

  function connect(options?: ClientOptions): ApiClient {
    const config = new KubeConfig();
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    config.loadFromClusterAndUser({ name: 'c', server: url, skipTLSVerify: true }, { name: 'u', token: TOKEN });
    const client = new ApiClient(config, options);
    clients.push(client);
    return client;
  }

  const failure = (code: number, message = 'no') => ({
    kind: 'Status',
    status: 'Failure',
    reason: 'Why',
    code,
    message,
  });

  it('applies as JSON with our field manager', async () => {
    await connect().apply(namespace, { force: true, dryRun: true });
    assert.equal(seen[0]?.method, 'PATCH');
    assert.equal(seen[0]?.url, '/api/v1/namespaces/net?fieldManager=capabilitypolicy.dev&dryRun=All&force=true');
    assert.equal(seen[0]?.headers['content-type'], 'application/apply-patch+yaml');
    assert.equal(seen[0]?.headers.authorization, `Bearer ${TOKEN}`);
    assert.deepEqual(JSON.parse(seen[0]?.body ?? ''), namespace);
  });

  it('apply uses neither force nor dry run by default', async () => {
    await connect().apply(namespace);
    assert.equal(seen[0]?.url, '/api/v1/namespaces/net?fieldManager=capabilitypolicy.dev&force=false');
  });

  it('the client reads only the metadata of objects if metadataOnly is set', async () => {
    answers = [json({ metadata: { resourceVersion: '7' }, items: [] }), json({})];
    const read = { metadataOnly: true };
    await connect().list('/api/v1/pods', {}, () => {}, read);
    await connect().watch('/api/v1/pods', {}, () => {}, read);
    const kinds = seen.map(({ headers }) => /as=(\w+);g=meta.k8s.io;v=v1/.exec(headers.accept ?? '')?.[1]);
    assert.deepEqual(kinds, ['PartialObjectMetadataList', 'PartialObjectMetadata']);
  });

  it('delete removes only the object that the preconditions describe', async () => {
    await connect().remove('/api/v1/namespaces/net', { uid: 'u1' });
    assert.equal(seen[0]?.method, 'DELETE');
    assert.deepEqual(JSON.parse(seen[0]?.body ?? '').preconditions, { uid: 'u1' });
  });

  it("the thrown error contains the server's answer, but not the token of the request", async () => {
    answers = [json(failure(403, 'forbidden'), 403)];
    const error: unknown = await connect()
      .create('/api/v1/namespaces', namespace)
      .catch((caught) => caught);
    assert.ok(error instanceof ApiError);
    assert.equal(error.status, 403);
    assert.equal(error.reason, 'Why');
    assert.equal(error.message, 'forbidden');
    assert.equal(error.request, 'POST /api/v1/namespaces');
    assert.doesNotMatch(inspect(error, { depth: 9, showHidden: true }), new RegExp(TOKEN));
  });

  it('retries when a busy server says when', async () => {
    const busy = json(failure(429), 429, { 'retry-after': '0' });
    answers = [busy, json(failure(503), 503, { 'retry-after': '0' }), json({ done: true })];
    assert.deepEqual(await connect().get('/x'), { done: true });
    assert.equal(seen.length, 3);
  });

  it('the client gives up after five tries, or after one try if the answer has no Retry-After', async () => {
    answers = Array.from({ length: 9 }, () => json(failure(429), 429, { 'retry-after': '0' }));
    await assert.rejects(connect().get('/x'), { name: 'ApiError', status: 429 });
    assert.equal(seen.length, 5);
    answers = [json(failure(503), 503)];
    await assert.rejects(connect().get('/x'), { name: 'ApiError', status: 503 });
    assert.equal(seen.length, 6);
  });

  it('the client fails at once if Retry-After is long, and the error says how long the server is busy', async () => {
    answers = [json(failure(429), 429, { 'retry-after': '40' })];
    await assert.rejects(connect().get('/x'), { name: 'ApiError', status: 429, retryAfterSeconds: 40 });
    assert.equal(seen.length, 1);
  });

  it('waits no longer than its timeout', async () => {
    answers = [() => {}];
    await assert.rejects(connect({ timeoutMs: 100 }).get('/x'), { code: 'UND_ERR_HEADERS_TIMEOUT' });
  });

  it('a client reuses connections, but a fresh client opens a connection for each request', async () => {
    const connections = async (client: ApiClient) => {
      seen = [];
      for (let call = 0; call < 6; call++) await client.get('/x');
      return new Set(seen.map(({ port }) => port)).size;
    };
    const client = connect();
    // If a connection has not finished reading an answer when the next call begins, the client opens a second
    // connection.
    assert.ok((await connections(client)) <= 2);
    assert.equal(await connections(client.fresh()), 6);
  });

  it('a client that is bound to an endpoint sends the same credentials to the endpoint', async () => {
    const config = new KubeConfig();
    const cluster = { name: 'c', server: 'http://127.0.0.1:1', skipTLSVerify: true };
    config.loadFromClusterAndUser(cluster, { name: 'u', token: TOKEN });
    const client = new ApiClient(config);
    const bound = client.at(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    clients.push(client, bound);
    await bound.get('/version');
    assert.equal(seen[0]?.headers.authorization, `Bearer ${TOKEN}`);
    await assert.rejects(client.get('/version'), { code: 'ECONNREFUSED' });
  });

  describe('at an address that the cluster publishes', () => {
    const [own, other] = [new CertificateAuthority(), new CertificateAuthority()];
    const servers: Server[] = [];
    let reached: (string | undefined)[] = [];

    beforeEach(() => {
      reached = [];
    });

    after(() => {
      for (const one of servers) one.close().closeAllConnections();
    });

    async function published(authority: CertificateAuthority, dnsName = 'kubernetes.default.svc'): Promise<number> {
      const { certificate: cert, key } = authority.issue({ commonName: 'server', dnsNames: [dnsName] });
      const made = createSecureServer({ cert, key }, ({ headers }, response) => {
        reached.push(headers.authorization);
        json({ minor: '36' })(response, undefined as never);
      });
      servers.push(made);
      await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
      return (made.address() as AddressInfo).port;
    }

    /**
     * Returns the servers that the client finds if the configured server publishes the address 127.0.0.1 with the given
     * port.
     */
    async function serversAt(port: number, cluster: object): Promise<string[]> {
      const slice = {
        addressType: 'IPv4',
        ports: [{ name: 'https', port }],
        endpoints: [{ addresses: ['127.0.0.1'] }],
      };
      answers = [json(slice)];
      const config = new KubeConfig();
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const made = { name: 'c', server: url, skipTLSVerify: true, ...cluster };
      config.loadFromClusterAndUser(made, { name: 'u', token: TOKEN });
      const client = new ApiClient(config);
      const found = await endpoints(client);
      clients.push(client, ...found);
      return found.map((one) => new URL(one.server).port);
    }

    const caData = Buffer.from(own.certificate).toString('base64');
    const configured = () => `${(server.address() as AddressInfo).port}`;

    it('the client sends no credentials to a server whose certificate it cannot check, even if the kubeconfig skips the check', async () => {
      assert.ok(!(await serversAt(await published(own), {})).some((port) => port !== configured()));
      assert.deepEqual(reached, []);
    });

    it('the client sends no credentials to a server whose certificate has another authority or name', async () => {
      for (const port of [await published(other), await published(own, 'example.org')]) {
        assert.ok(!(await serversAt(port, { caData })).some((found) => found !== configured()));
      }
      assert.deepEqual(reached, []);
    });

    it('the client sends no credentials if NODE_TLS_REJECT_UNAUTHORIZED is the only setting that turns off the check of certificates', async () => {
      process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
      try {
        assert.ok(!(await serversAt(await published(other), { caData })).some((found) => found !== configured()));
        assert.deepEqual(reached, []);
      } finally {
        delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
      }
    });

    it('the client sends its credentials to a server with a correct certificate', async () => {
      const port = await published(own);
      assert.deepEqual(await serversAt(port, { caData }), [`${port}`]);
      assert.deepEqual([...new Set(reached)], [`Bearer ${TOKEN}`]);
    });
  });

  it('the client limits the rate of writes, but not the rate of reads', async () => {
    const readMs = await leastOf(90, () => {
      const client = connect({ qps: 10, burst: 1 });
      return clockMs(() => Promise.all([client.get('/x'), client.get('/x'), client.apply(namespace)]));
    });
    assert.ok(readMs < 90, `${readMs} ms`);
    const client = connect({ qps: 10, burst: 1 });
    const writes = [client, client, client.fresh()];
    const writtenMs = await clockMs(() => Promise.all(writes.map((one) => one.apply(namespace))));
    assert.ok(writtenMs > 150, `${writtenMs} ms`);
  });

  it('lists page by page', async () => {
    answers = [
      json({ metadata: { resourceVersion: '5', continue: 'next' }, items: [{ metadata: { name: 'a' } }] }),
      json({ metadata: { resourceVersion: '5' }, items: [{ metadata: { name: 'b' } }] }),
    ];
    const pages: unknown[] = [];
    const version = await connect().list('/pods', { labelSelector: 'a=b' }, ({ items }) => pages.push(items));
    assert.equal(version, '5');
    assert.deepEqual(pages, [[{ metadata: { name: 'a' } }], [{ metadata: { name: 'b' } }]]);
    const urls = seen.map(({ url }) => url);
    assert.deepEqual(urls, [
      '/pods?limit=500&labelSelector=a%3Db',
      '/pods?limit=500&labelSelector=a%3Db&continue=next',
    ]);
  });

  describe('without managedFields', () => {
    const hostile = 'say \\"managedFields\\":[{\\"a\\"]} and \\\\';
    const entry = { manager: 'a "quoted" \\ one ]}', fieldsV1: { 'f:metadata': { 'k:{"a":"]"}': {} } } };
    const metadata = { name: 'a', annotations: { note: hostile, managedFields: '[' }, managedFields: [entry, entry] };
    const expected = { name: 'a', annotations: metadata.annotations, managedFields: [] };

    it('the client drops only the real managedFields, and keeps strings that look like managedFields', async () => {
      answers = [json({ metadata: { resourceVersion: '5' }, items: [{ metadata, spec: [1] }, { metadata }] })];
      const pages: unknown[] = [];
      await connect().list('/pods', {}, ({ items }) => pages.push(items), { managedFields: false });
      assert.deepEqual(pages, [[{ metadata: expected, spec: [1] }, { metadata: expected }]]);
    });

    it('keeps text that it does not understand', async () => {
      const odd = { metadata: { managedFields: [[entry]] } };
      answers = [(response) => void response.end(`${JSON.stringify({ type: 'ADDED', object: odd })}\n`)];
      const events: unknown[] = [];
      await connect().watch('/pods', {}, ({ object }) => events.push(object), { managedFields: false });
      assert.deepEqual(events, [odd]);
    });
  });

  describe('watch', () => {
    const line = (type: string, object: unknown) => `${JSON.stringify({ type, object })}\n`;
    const watch = async (client: ApiClient, options = {}) => {
      const events: WatchEvent[] = [];
      await client.watch('/pods', { resourceVersion: '5' }, (event) => events.push(event), options);
      return events;
    };

    it('assembles events however they were cut', async () => {
      const bytes = Buffer.from(
        line('ADDED', { note: 'größer' }) + line('BOOKMARK', {}) + line('DELETED', { note: 'ß' }),
      );
      answers = [
        async (response) => {
          for (let at = 0; at < bytes.length; at += 7) {
            response.write(bytes.subarray(at, at + 7));
            await new Promise(setImmediate);
          }
          response.end();
        },
      ];
      assert.deepEqual(await watch(connect()), [
        { type: 'ADDED', object: { note: 'größer' } },
        { type: 'BOOKMARK', object: {} },
        { type: 'DELETED', object: { note: 'ß' } },
      ]);
      assert.equal(seen[0]?.url, '/pods?watch=true&resourceVersion=5');
    });

    it('if the server ends a watch with an error, watch throws the error', async () => {
      answers = [(response) => void response.end(line('ADDED', {}) + line('ERROR', failure(410, 'too old')))];
      await assert.rejects(watch(connect()), { name: 'ApiError', status: 410, message: 'too old' });
    });

    it('throws when the connection breaks', async () => {
      answers = [
        (response) => {
          response.write(line('ADDED', {}));
          setTimeout(() => response.destroy(), 20);
        },
      ];
      await assert.rejects(watch(connect()), { name: /SocketError|TypeError|Error/ });
    });

    it('gives up a silent watch', async () => {
      answers = [(response) => void response.write(line('ADDED', {}))];
      await assert.rejects(watch(connect(), { idleMs: 100 }), { code: 'UND_ERR_BODY_TIMEOUT' });
    });

    it('watch calls onBegin when the server accepts the watch, but not when the server refuses the watch', async () => {
      let begun = 0;
      const onBegin = () => void begun++;
      answers = [
        (response) => void response.writeHead(200).end(),
        (response) => void response.writeHead(403).end('{}'),
      ];
      await watch(connect(), { onBegin });
      assert.equal(begun, 1);
      await assert.rejects(watch(connect(), { onBegin }), { status: 403 });
      assert.equal(begun, 1);
    });

    it('ends quietly when aborted', async () => {
      const abort = new AbortController();
      answers = [(response) => void response.write(line('ADDED', {}))];
      setTimeout(() => abort.abort(), 100);
      assert.equal((await watch(connect(), { signal: abort.signal })).length, 1);
    });
  });

  it('the client follows the lines of a log until the log ends', async () => {
    answers = [(response) => void response.end('one\ntwo\n')];
    const read: string[] = [];
    await connect().follow('/pods/it/log', { follow: true }, (line) => read.push(line));
    assert.deepEqual(
      [read, seen[0]?.url, seen[0]?.headers.accept],
      [['one', 'two'], '/pods/it/log?follow=true', '*/*'],
    );
  });
});
