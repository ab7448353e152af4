/**
 * A proxy between a client and the API server. The proxy causes the faults of faults.ts. The proxy terminates TLS, and
 * can therefore answer in place of the API server. The proxy connects to the API server with the credentials of the
 * kubeconfig.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { type ClientRequest, createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Agent, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../support/random.ts';
import {
  type Asked,
  chooseFault,
  chooseWatchFault,
  collectionOf,
  FAULTS,
  goesOn,
  isRefusal,
  isWatch,
  isWrite,
  lists,
  type Met,
  type Mishap,
  OUTDATED_EVENT,
  type Refusal,
  refusalCode,
  refusalStatus,
} from './faults.ts';

interface Watch {
  readonly collection: string;
  readonly answer: ServerResponse;
  silent: boolean;
}

/** Whether the proxy stops a write before or after the API server executes the write. */
export type Moment = 'before' | 'after';

interface Interruption {
  /** The number of writes that the proxy still forwards before the interruption. */
  left: number;
  readonly moment: Moment;
  readonly reached: () => void;
}

const LATE_MS = 1_500;
/** The time in ms between two faults of watches, during a storm. */
const WATCH_FAULT_EVERY_MS = 700;
/**
 * The proxy drops the events of a watch for this time in ms. Afterwards, the proxy reports that the watch is outdated.
 */
const MISSED_MS = 2_000;
/**
 * The longest wait in ms for an API server that accepts connections, but does not answer requests yet. The wait is
 * shorter than the time between the renew deadline and the end of a lease (replicas.ts).
 */
const MOST_CONNECTING_MS = 1_000;
/** The time in ms until the proxy looks again for watches that can become silent. */
const LOOK_AGAIN_MS = 50;

export class FaultProxy {
  readonly #server: Server;
  readonly #upstream: string;
  readonly #agent: Agent;
  readonly #random: Random;
  readonly #closing = new AbortController();
  readonly #watches = new Set<Watch>();
  /**
   * The collections with an outdated resourceVersion. The proxy has told the client that the resourceVersion is
   * outdated. The proxy repeats this answer until the client lists the collection again.
   */
  readonly #outdated = new Set<string>();
  #storm: NodeJS.Timeout | undefined;
  #partitioned = false;
  #interruption: Interruption | undefined;
  readonly met = Object.fromEntries(FAULTS.map((fault) => [fault, 0])) as Met;

  private constructor(kubeconfig: string, random: Random) {
    const { clusters, users } = JSON.parse(readFileSync(kubeconfig, 'utf8'));
    const { cluster } = clusters[0];
    const { user } = users[0];
    this.#upstream = cluster.server;
    this.#random = random;
    this.#agent = new Agent({
      keepAlive: true,
      ca: text(cluster['certificate-authority-data']),
      cert: text(user['client-certificate-data']),
      key: text(user['client-key-data']),
    });
    this.#server = createServer((asked, answer) => this.#serve(asked, answer));
    // The proxy does not close idle connections. The client has to close its idle connections.
    this.#server.keepAliveTimeout = 0;
    this.#server.requestTimeout = 0;
  }

  /** Starts a proxy. The proxy forwards everything until a storm begins. */
  static async start(kubeconfig: string, random: Random): Promise<FaultProxy> {
    const proxy = new FaultProxy(kubeconfig, random);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  /**
   * Writes a kubeconfig that makes a client connect to this proxy. The file is in the folder of another kubeconfig.
   * @returns the path of the file
   */
  kubeconfig(beside: string): string {
    const { port } = this.#server.address() as AddressInfo;
    const name = 'fault-proxy';
    const file = join(dirname(beside), 'kubeconfig-of-fault-proxy');
    // Without TLS, the library client-node connects only if `insecure-skip-tls-verify` is set.
    const content = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name, cluster: { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } }],
      users: [{ name, user: {} }],
      contexts: [{ name, context: { cluster: name, user: name } }],
      'current-context': name,
    };
    writeFileSync(file, JSON.stringify(content), { mode: 0o600 });
    return file;
  }

  /** Begins a storm. During a storm, requests and watches get faults. The storm lasts until `calm` is called. */
  storm(): void {
    this.#storm ??= setInterval(() => this.#disturbWatch(), WATCH_FAULT_EVERY_MS);
  }

  calm(): void {
    clearInterval(this.#storm);
    this.#storm = undefined;
  }

  /** Cuts all running requests, and forwards no request for `ms` milliseconds. */
  async partition(ms: number): Promise<void> {
    this.#partitioned = true;
    this.#server.closeAllConnections();
    await sleep(ms);
    this.#partitioned = false;
  }

  /**
   * Makes watches silent for `ms` milliseconds or until close(). If `of` is not set, each watch is silent with a
   * probability of 1/2. If `of` is set, every watch of the collection `of` is silent. If the client has no such watch,
   * the proxy waits for one for at most `ms` milliseconds. After the silence, the proxy cuts the watch. The proxy does
   * nothing if the client has already ended the watch. To get the missed events, the client must continue from its last
   * resourceVersion.
   */
  async silence(ms: number, of?: string): Promise<void> {
    const choose = () =>
      [...this.#watches].filter(({ collection }) =>
        of === undefined ? this.#random.int(2) === 0 : collection.startsWith(of),
      );
    const until = performance.now() + ms;
    let chosen = choose();
    while (chosen.length === 0 && performance.now() < until && !this.#closing.signal.aborted) {
      await sleep(LOOK_AGAIN_MS);
      chosen = choose();
    }
    for (const watch of chosen) watch.silent = true;
    this.met.silent += chosen.length;
    await sleep(ms, undefined, { signal: this.#closing.signal }).catch(() => {});
    for (const { answer } of chosen) answer.destroy();
  }

  /**
   * Withholds the answer to one of the client's next writes. All later requests also get no answer until `resume` is
   * called. The client can therefore be killed before or after a certain write. Dry runs and writes of Leases and
   * Events do not count.
   *
   * @param writes the number of writes that the proxy still answers. The next write gets no answer.
   * @returns whether the client made the unanswered write in time
   */
  async interrupt(writes: number, moment: Moment, timeoutMs: number): Promise<boolean> {
    const reached = new Promise<boolean>((resolve) => {
      this.#interruption = { left: writes, moment, reached: () => resolve(true) };
    });
    const late = sleep(timeoutMs, false, { signal: this.#closing.signal, ref: false }).catch(() => false);
    return Promise.race([reached, late]);
  }

  resume(): void {
    this.#interruption = undefined;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.calm();
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    this.#agent.destroy();
    await closed;
  }

  #serve(asked: IncomingMessage, answer: ServerResponse): void {
    const call = { method: asked.method ?? '', url: asked.url ?? '' };
    const collection = collectionOf(call);
    const fault = this.#storm && !this.#partitioned ? chooseFault(call, this.#random, this.met) : undefined;
    if (fault) this.met[fault]++;
    if (fault === 'expired') this.#outdated.add(collection);
    if (this.#partitioned || fault === 'reset') asked.socket.destroy();
    else if (this.#stops(call)) this.#stop(asked, answer, call);
    else if (fault && isRefusal(fault)) refuse(asked, answer, fault);
    else if (goesOn(call) && this.#outdated.has(collection)) refuse(asked, answer, 'expired');
    else this.#pass(asked, answer, call, fault as Mishap | undefined);
  }

  #stops(call: Asked): boolean {
    return this.#interruption !== undefined && isWrite(call) && this.#interruption.left-- <= 0;
  }

  /**
   * Handles a write that the proxy must not answer. If a client sends several writes without getting an answer, at most
   * the first of these writes reaches the API server.
   */
  #stop(asked: IncomingMessage, answer: ServerResponse, call: Asked): void {
    const { left, moment, reached } = this.#interruption ?? { left: 0, moment: 'before' as const, reached: () => {} };
    if (moment === 'before' || left < -1) {
      asked.resume();
      reached();
    } else this.#pass(asked, answer, call, 'kept', reached);
  }

  #pass(
    asked: IncomingMessage,
    answer: ServerResponse,
    call: Asked,
    mishap: Mishap | 'kept' | undefined,
    done = () => {},
  ): void {
    const collection = collectionOf(call);
    if (lists(call)) this.#outdated.delete(collection);
    const { connection: _, ...headers } = asked.headers;
    const options = { method: asked.method ?? '', headers, agent: this.#agent };
    const passed = request(this.#upstream + asked.url, options, (response) => {
      response.on('error', () => answer.destroy());
      if (mishap === 'kept') response.resume().on('end', done);
      else if (isWatch(call)) this.#passWatch(response, answer, collection);
      else void passAnswer(response, answer, mishap);
    });
    endUnlessConnected(passed);
    // While the API server is down, the proxy ends the client's connection, like a load balancer.
    passed.on('error', () => answer.destroy());
    answer.on('close', () => passed.destroy());
    asked.pipe(passed);
  }

  #passWatch(response: IncomingMessage, answer: ServerResponse, collection: string): void {
    const watch: Watch = { collection, answer, silent: false };
    this.#watches.add(watch);
    answer.on('close', () => this.#watches.delete(watch));
    passHead(response, answer);
    answer.flushHeaders();
    response.on('data', (chunk) => {
      if (!watch.silent) answer.write(chunk);
    });
    response.on('end', () => {
      if (!watch.silent) answer.end();
    });
  }

  #disturbWatch(): void {
    const speaking = [...this.#watches].filter(({ silent }) => !silent);
    const watch = speaking[this.#random.int(speaking.length || 1)];
    if (!watch) return;
    const fault = chooseWatchFault(this.met);
    this.met[fault]++;
    watch.silent = true;
    if (fault === 'cut') watch.answer.destroy();
    else if (fault === 'ended') watch.answer.end(OUTDATED_EVENT.slice(0, 20));
    else void this.#outdate(watch);
  }

  async #outdate({ collection, answer }: Watch): Promise<void> {
    await sleep(MISSED_MS);
    if (answer.destroyed) return;
    this.#outdated.add(collection);
    answer.end(OUTDATED_EVENT);
  }
}

/**
 * Ends a request if the API server does not accept the connection soon. Without the proxy, a client first connects, and
 * then checks whether the client may still write. With the proxy, a write could wait in the proxy after the client's
 * check, and reach the API server too late.
 */
function endUnlessConnected(passed: ClientRequest): void {
  passed.once('socket', (socket) => {
    if (!socket.connecting) return;
    const late = setTimeout(() => passed.destroy(), MOST_CONNECTING_MS);
    socket.once('secureConnect', () => clearTimeout(late));
    passed.once('close', () => clearTimeout(late));
  });
}

function refuse(asked: IncomingMessage, answer: ServerResponse, refusal: Refusal): void {
  // Like an API server, the proxy reads the whole request before answering.
  asked.resume().on('end', () => {
    const throttled = refusal === 'throttled' && { 'retry-after': '1' };
    answer.writeHead(refusalCode(refusal), { 'content-type': 'application/json', ...throttled });
    answer.end(JSON.stringify(refusalStatus(refusal)));
  });
}

async function passAnswer(response: IncomingMessage, answer: ServerResponse, mishap?: Mishap): Promise<void> {
  if (mishap === 'lost') {
    answer.destroy();
    return;
  }
  if (mishap === 'late') await sleep(LATE_MS);
  passHead(response, answer);
  if (mishap !== 'truncated') {
    response.pipe(answer);
    return;
  }
  response.once('data', (chunk: Buffer) => answer.write(chunk.subarray(0, chunk.length / 2), () => answer.destroy()));
}

function passHead(response: IncomingMessage, answer: ServerResponse): void {
  const { connection: _, ...headers } = response.headers;
  answer.writeHead(response.statusCode ?? 502, headers);
}

function text(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}
