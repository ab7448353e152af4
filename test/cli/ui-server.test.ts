/**
 * Tests the local server of `cappol ui`. The server serves the browser that opened the link, and refuses every other
 * client.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import { Feed } from '../../cli/commands/ui/feed.ts';
import type { ShownContext } from '../../cli/commands/ui/followed-context.ts';
import { type PageServer, servePage } from '../../cli/commands/ui/server.ts';
import { waitFor } from '../../hack/controlplane/wait.ts';
import { LiveState } from '../../ui/model/live-state.ts';
import { arbitraryCluster } from '../snapshot/clusters.ts';
import { clockMs, leastOf } from '../support/measured.ts';
import { takenSnapshot } from '../support/snapshots.ts';

const PAGE = { html: '<!doctype html><title>page</title>', policy: "default-src 'none'" };
const OPTIONS = { operatorNamespace: 'operator', excludedNamespaces: [], at: 0 };
const MIB = 1024 * 1024;

interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

describe('the server of cappol ui', () => {
  const contexts: { context: string; snapshot?: Snapshot; problem?: string }[] = [];
  const feed = new Feed(contexts as readonly ShownContext[]);
  const clusters = fc.sample(arbitraryCluster, { numRuns: 30, seed: 11 });
  let server: PageServer;
  let port: number;
  let token: string;

  beforeEach(async () => {
    contexts.splice(0, contexts.length, { context: 'one', snapshot: taken(0) });
    await start();
  });
  afterEach(() => server.close());

  async function start(): Promise<void> {
    server = await servePage({ page: PAGE, events: (signal) => feed.events(signal) }, 0);
    const link = new URL(server.link);
    port = Number(link.port);
    token = link.searchParams.get('token') ?? '';
  }

  function taken(index: number, context = 'one'): Snapshot {
    const cluster = clusters[index % clusters.length];
    assert.ok(cluster);
    return takenSnapshot(cluster, { ...OPTIONS, at: index, context });
  }

  function opened(): Promise<Socket> {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    return once(socket, 'connect').then(() => socket);
  }

  /** Sends a request exactly as written, and reads until the server closes the connection. */
  async function raw(text: string): Promise<Answer> {
    const socket = await opened();
    socket.write(text);
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    await once(socket, 'close');
    const [head = '', body = ''] = Buffer.concat(chunks).toString().split('\r\n\r\n', 2);
    const [first = '', ...lines] = head.split('\r\n');
    const headers = lines.map((line) => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 2),
    ]);
    return { status: Number(first.split(' ')[1]), headers: new Map(headers as [string, string][]), body };
  }

  function get(target: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<Answer> {
    const all = Object.entries({ Host: `127.0.0.1:${port}`, Connection: 'close', ...headers });
    return raw(`${method} ${target} HTTP/1.1\r\n${all.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`);
  }

  /** The request header that contains the session. */
  async function session(): Promise<{ Cookie: string }> {
    const { headers } = await get(`/?token=${token}`);
    return { Cookie: headers.get('set-cookie')?.split(';')[0] ?? '' };
  }

  /** Reads the events in the same way as the page, but without compression. */
  class Stream {
    readonly state = new LiveState();
    readonly names: string[] = [];
    readonly socket: Socket;
    #text = '';

    constructor(socket: Socket) {
      this.socket = socket;
      socket.setEncoding('utf8');
      socket.on('data', (text: string) => {
        this.#text += text;
      });
    }

    static async open(cookie: { Cookie: string }): Promise<Stream> {
      const socket = await opened();
      const stream = new Stream(socket);
      socket.write(`GET /events HTTP/1.0\r\nHost: 127.0.0.1:${port}\r\nCookie: ${cookie.Cookie}\r\n\r\n`);
      return stream;
    }

    /** Applies the events that have arrived completely. */
    read(): void {
      for (let end = this.#text.indexOf('\n\n'); end !== -1; end = this.#text.indexOf('\n\n')) {
        const [, name = '', data = 'null'] = /event: (\w+)\ndata: (.*)$/s.exec(this.#text.slice(0, end)) ?? [];
        this.#text = this.#text.slice(end + 2);
        if (name === '') continue;
        this.names.push(name);
        if (name === 'contexts') this.state.setContexts(JSON.parse(data));
        if (name === 'snapshot') this.state.setSnapshot(JSON.parse(data));
        if (name === 'difference') this.state.change(JSON.parse(data));
      }
    }

    async until(isThere: (state: LiveState) => boolean): Promise<void> {
      for (let waited = 0; waited < 10_000; waited += 10) {
        this.read();
        if (isThere(this.state)) return;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      assert.fail(`it did not arrive; events: ${this.names.join(', ')}`);
    }
  }

  const shows = (snapshot: Snapshot) => (state: LiveState) => {
    const [first] = state.clusters().shown;
    return JSON.stringify(first?.snapshot) === JSON.stringify(snapshot);
  };

  it('the server exchanges the token of the link for a session once', async () => {
    const first = await get(`/?token=${token}`);
    assert.equal(first.status, 303);
    assert.equal(first.headers.get('location'), '/');
    const cookie = first.headers.get('set-cookie') ?? '';
    assert.match(cookie, new RegExp(`^cappol-${port}=[\\w-]{43}; HttpOnly; SameSite=Strict; Path=/$`));
    assert.ok(!cookie.includes(token));
    const page = await get('/', { Cookie: cookie.split(';')[0] ?? '' });
    assert.deepEqual([page.status, page.body], [200, PAGE.html]);
    const again = await get(`/?token=${token}`);
    assert.deepEqual([again.status, again.headers.has('set-cookie')], [401, false]);
    assert.match(again.body, /^open the link that `cappol ui` printed\. The link works once/);
  });

  it('the server refuses a request without a session, or with a wrong session', async () => {
    for (const target of [
      '/',
      '/events',
      '/?token=',
      `/?token=${token.slice(1)}`,
      `/?token=${token}x`,
      `/?x=${token}`,
    ]) {
      assert.ok([401, 404].includes((await get(target)).status), target);
    }
    for (const cookie of ['', `cappol-${port}=`, `cappol-${port}=${token}`, `x=${'a'.repeat(43)}`]) {
      assert.equal((await get('/', { Cookie: cookie })).status, 401, cookie);
    }
    // The refused requests have not used up the token.
    assert.equal((await get(`/?token=${token}`)).status, 303);
  });

  it('refuses requests from pages of other origins', async () => {
    const cookie = await session();
    const others: readonly Readonly<Record<string, string>>[] = [
      { Origin: 'http://evil.example' },
      { Origin: 'null' },
      { Origin: `http://localhost:${port}` },
      { Origin: `http://127.0.0.1:${port + 1}` },
      { Origin: `https://127.0.0.1:${port}` },
      { 'Sec-Fetch-Site': 'cross-site' },
      // The request with these headers comes from a page of another server on another port of this machine.
      { 'Sec-Fetch-Site': 'same-site' },
    ];
    for (const headers of others) {
      for (const target of ['/', '/events']) {
        const { status, headers: answered } = await get(target, { ...cookie, ...headers });
        assert.equal(status, 403, JSON.stringify(headers));
        assert.equal(answered.has('access-control-allow-origin'), false);
      }
    }
    assert.equal((await get('/', { ...cookie, 'Sec-Fetch-Site': 'none' })).status, 200);
    assert.equal((await get('/', { ...cookie, Origin: `http://127.0.0.1:${port}` })).status, 200);
  });

  it('the server refuses requests for other host names that resolve to its address (DNS rebinding)', async () => {
    const cookie = await session();
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      `localhost:${port}`,
      '127.0.0.1',
      `127.0.0.1:${port + 1}`,
      `127.0.0.1:${port}.evil.example`,
    ]) {
      assert.equal((await get('/', { ...cookie, Host: host })).status, 403, host);
      assert.equal((await get(`/?token=${token}`, { Host: host })).status, 403, host);
    }
    const twice = `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nHost: evil.example\r\nCookie: ${cookie.Cookie}\r\nConnection: close\r\n\r\n`;
    assert.ok([400, 403].includes((await raw(twice)).status));
    const none = `GET / HTTP/1.0\r\nCookie: ${cookie.Cookie}\r\n\r\n`;
    assert.equal((await raw(none)).status, 403);
  });

  it('refuses methods other than GET, and bodies', async () => {
    const cookie = await session();
    for (const method of ['HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND']) {
      const { status, headers } = await get('/', cookie, method);
      assert.deepEqual([status, headers.get('allow')], [405, 'GET'], method);
    }
    assert.ok([0, 400, 405].includes(Number((await get('evil.example:443', cookie, 'CONNECT')).status) || 0));
    assert.equal((await get('/', { ...cookie, 'Content-Length': '5' })).status, 400);
    assert.equal((await get('/', { ...cookie, 'Transfer-Encoding': 'chunked' })).status, 400);
  });

  it('the token stays valid when another program requests the link with HEAD before the browser opens the link', async () => {
    assert.equal((await get(`/?token=${token}`, {}, 'HEAD')).status, 405);
    assert.equal((await get(`/?token=${token}`)).status, 303);
  });

  it('serves no file and no other target', async () => {
    const cookie = await session();
    for (const target of [
      '/../../../../etc/passwd',
      '/..%2f..%2fetc%2fpasswd',
      '/%2e%2e/etc/passwd',
      '//etc/passwd',
      '/./',
      '/events/',
      '/events?x',
      '/Events',
      '/page.html',
      '/\\..\\etc\\passwd',
      '/%00',
      '*',
      '?',
      'http://evil.example/',
      `http://127.0.0.1:${port}/`,
    ]) {
      const { status, body } = await get(target, cookie);
      assert.ok([400, 404].includes(status), `${target}: ${status}`);
      assert.ok(!body.includes('root:'), target);
    }
  });

  it('the server refuses requests that are not HTTP, and requests with headers that are too long', async () => {
    assert.equal((await raw('\x16\x03\x01\x02\x00\x01\x00\r\n\r\n')).status, 400);
    assert.equal((await get('/', { 'X-Long': 'a'.repeat(20_000) })).status, 431);
  });

  it('the server sends headers that forbid a browser to cache or embed the answers', async () => {
    const cookie = await session();
    for (const target of ['/', '/none', '/?token=x']) {
      const { headers } = await get(target, cookie);
      for (const [name, value] of [
        ['x-content-type-options', 'nosniff'],
        ['cache-control', 'no-store'],
        ['cross-origin-opener-policy', 'same-origin'],
        ['cross-origin-resource-policy', 'same-origin'],
        ['referrer-policy', 'no-referrer'],
        ['x-frame-options', 'DENY'],
      ] as const)
        assert.equal(headers.get(name), value, `${target}: ${name}`);
      assert.match(headers.get('content-security-policy') ?? '', /^default-src 'none'/);
    }
  });

  it('the server first sends whole snapshots, and later sends only the changes', async () => {
    contexts.push({ context: 'two' });
    const stream = await Stream.open(await session());
    await stream.until(shows(taken(0)));
    assert.deepEqual(stream.state.clusters().loading, ['two']);
    for (let index = 1; index < clusters.length; index++) {
      contexts.splice(0, 1, { context: 'one', snapshot: taken(index) });
      feed.update();
      // If only the time in a document has changed, the server does not send the document.
      const { taken: at, ...rest } = taken(index);
      await stream.until((state) => {
        const { taken: _, ...shown } = state.clusters().shown[0]?.snapshot ?? { taken: at };
        return JSON.stringify(shown) === JSON.stringify(rest);
      });
    }
    assert.equal(stream.names.filter((name) => name === 'snapshot').length, 1);
    contexts[1] = { context: 'two', problem: 'cannot reach the cluster' };
    feed.update();
    await stream.until((state) => state.clusters().problems.length > 0);
    assert.deepEqual(stream.state.clusters().problems, ['two: cannot reach the cluster']);
    contexts[1] = { context: 'two', snapshot: taken(3, 'two') };
    feed.update();
    await stream.until((state) => state.clusters().shown.length === 2);
    stream.socket.destroy();
  });

  it('compresses the events when asked', async () => {
    const cookie = await session();
    const socket = await opened();
    socket.write(`GET /events HTTP/1.0\r\nHost: 127.0.0.1:${port}\r\nAccept-Encoding: gzip\r\n`);
    socket.write(`Cookie: ${cookie.Cookie}\r\n\r\n`);
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    const text = () => {
      const received = Buffer.concat(chunks);
      const body = received.subarray(received.indexOf('\r\n\r\n') + 4);
      return body.length === 0 ? '' : gunzipSync(body, { finishFlush: 2 }).toString();
    };
    for (let waited = 0; waited < 5_000 && !/event: snapshot\ndata: .*\n\n/.test(text()); waited += 20)
      await new Promise((resolve) => setTimeout(resolve, 20));
    assert.match(Buffer.concat(chunks).toString('latin1'), /^content-encoding: gzip\r$/m);
    assert.match(text(), /event: snapshot\ndata: \{"apiVersion"/);
    socket.destroy();
  });

  it('the server buffers nothing for a page that does not read, and later sends all changes as one change', async () => {
    const large = taken(1);
    const padding = Array.from({ length: 3_000 }, () => 'x'.repeat(1_000));
    const missing = (index: number) => [...padding, `${index}`];
    const stream = await Stream.open(await session());
    await stream.until(shows(taken(0)));
    stream.socket.pause();
    const began = process.memoryUsage().rss;
    const COUNT = 200;
    for (let index = 1; index <= COUNT; index++) {
      contexts[0] = { context: 'one', snapshot: { ...large, missing: missing(index) } };
      feed.update();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const grown = process.memoryUsage().rss - began;
    stream.socket.resume();
    await stream.until((state) => state.clusters().shown[0]?.snapshot.missing.at(-1) === `${COUNT}`);
    // The difference between two snapshots takes 3 MB, so the server must not keep a difference for each change.
    assert.ok(stream.names.length < 20, `${stream.names.length} events`);
    assert.ok(grown < 200 * MIB, `${grown / MIB} MiB`);
    stream.socket.destroy();
  });

  it('the server refuses a page if the maximum number of pages is open, and continues to serve the open pages', async () => {
    const cookie = await session();
    const streams = await Promise.all(Array.from({ length: 16 }, () => Stream.open(cookie)));
    for (const stream of streams) await stream.until(shows(taken(0)));
    assert.equal((await get('/events', cookie)).status, 503);
    streams[0]?.socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 200));
    const next = await Stream.open(cookie);
    await next.until(shows(taken(0)));
    for (const { socket } of [...streams, next]) socket.destroy();
  });

  it('goes on while others open 10,000 connections', async function () {
    this.timeout(120_000);
    const cookie = await session();
    const stream = await Stream.open(cookie);
    await stream.until(shows(taken(0)));
    const sockets: Socket[] = [];
    try {
      for (let index = 0; index < 10_000; index++) {
        const socket = connect(port, '127.0.0.1');
        socket.on('error', () => {}).resume();
        sockets.push(socket);
        // Every third connection sends the beginning of a request.
        if (index % 3 === 0) socket.write('GET / HTTP/1.1\r\nHost: x');
        // If there were more connections at once, some connections would wait in the kernel and never reach the server.
        if (index % 250 === 249)
          await Promise.all(sockets.slice(-250).map((one) => one.connecting && once(one, 'connect')));
        if (index % 2_500 !== 2_499) continue;
        contexts[0] = { context: 'one', snapshot: { ...taken(0), missing: [`${index}`] } };
        feed.update();
        await stream.until((state) => state.clusters().shown[0]?.snapshot.missing[0] === `${index}`);
        assert.equal((await get('/', cookie)).status, 200);
      }
      const open = () => sockets.filter((socket) => !socket.destroyed).length;
      await waitFor('the connections above the limit to be closed', async () => open() <= 32);
    } finally {
      for (const socket of sockets) socket.destroy();
      stream.socket.destroy();
    }
  });

  it('the server closes a connection on which a request arrives too slowly', async function () {
    this.timeout(30_000);
    const began = Date.now();
    for (const beginning of ['', 'GET / HTTP/1.1\r\nHos']) {
      const socket = await opened();
      socket.resume();
      socket.write(beginning);
      await once(socket, 'close');
    }
    assert.ok(Date.now() - began < 20_000);
  });

  it('ends at once, whatever is open', async () => {
    const ms = await leastOf(1_000, async () => {
      const stream = await Stream.open(await session());
      await stream.until(shows(taken(0)));
      const idle = await opened();
      const ended = Promise.all([once(stream.socket, 'close'), once(idle, 'close')]);
      stream.socket.resume();
      idle.resume();
      const took = await clockMs(() => Promise.all([server.close(), ended]));
      await start();
      return took;
    });
    assert.ok(ms < 1_000, `${ms} ms`);
  });

  it('says that a port is in use', async () => {
    await assert.rejects(servePage({ page: PAGE, events: (signal) => feed.events(signal) }, port), {
      message: `--port ${port} is in use`,
    });
  });
});
