/**
 * Creates pods by dry run all the time, as a user without rights. The API server must not admit a pod that every
 * possible state of the policies refuses.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Api } from '../../hack/controlplane/api.ts';
import { CREATOR } from '../support/harness.ts';
import type { Random } from '../support/random.ts';
import { NAMESPACES } from '../support/rendered.ts';
import { oneOf, PODS, type Population } from './population.ts';
import type { Probe, Window } from './window.ts';

const IN_FLIGHT = 2;
/** A pause in ms between requests, so that the API server and the operators get enough CPU time. */
const PAUSE_MS = 25;
/**
 * The maximum number of draws for one pod. The test skips a pod that the API server is allowed to admit, because an
 * admission proves nothing.
 */
const DRAWS = 8;
/** The time in ms within which the watches of a busy API server show the last change. */
const FOLLOWS_MS = 10_000;
const ASK_AGAIN_MS = 500;

export class Probes {
  readonly #api: Api;
  readonly #window: Window;
  readonly #random: Random;
  readonly #probes: readonly Probe[];
  /** The pods in the sentinel's namespace. */
  readonly #sentinels: readonly Probe[];
  #clients: Promise<void>[] = [];
  #running = false;
  /** The number of answered requests. */
  tried = 0;
  /** The number of answered requests that the API server had to refuse. */
  forbidden = 0;
  readonly wider: string[] = [];

  constructor(api: Api, window: Window, random: Random, { namespaces, sentinel }: Population) {
    this.#api = api;
    this.#window = window;
    this.#random = random;
    this.#sentinels = PODS.map((pod) => ({ pod, namespace: sentinel.namespace }));
    const others = namespaces.flatMap((namespace) => PODS.map((pod) => ({ pod, namespace })));
    this.#probes = [...this.#sentinels, ...others];
  }

  start(): void {
    this.#running = true;
    this.#clients = Array.from({ length: IN_FLIGHT }, () => this.#client());
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#clients);
  }

  /**
   * Finds wrong answers while nothing changes. While nothing changes, the window has only one state. The API server
   * must decide according to that state. The API server reads namespaces and bindings from its own watches, so the test
   * asks again about a wrong answer for some time.
   * @returns the pods for which the API server's answer still contradicts the only state of the window
   */
  async differences(): Promise<string[]> {
    const until = performance.now() + FOLLOWS_MS;
    let wrong = await this.#wrong(this.#probes);
    while (wrong.size > 0 && performance.now() < until) {
      await sleep(ASK_AGAIN_MS);
      wrong = await this.#wrong([...wrong.keys()]);
    }
    return [...wrong.values()];
  }

  /** The pods for which the API server gives a wrong answer, each with a description of the answer. */
  async #wrong(probes: readonly Probe[]): Promise<Map<Probe, string>> {
    const wrong = new Map<Probe, string>();
    for (const probe of probes) {
      const answer = await this.#ask(probe);
      // Policies do not decide in a namespace that is deleted or is being deleted. The test therefore ignores answers
      // for namespaces that are deleted or are being deleted.
      if (answer === undefined || answer.status === 404 || /being terminated/.test(answer.message)) continue;
      const refused = this.#window.refuses(probe);
      if ((answer.status === 201) === refused) wrong.set(probe, describe(probe, answer));
    }
    return wrong;
  }

  async #client(): Promise<void> {
    while (this.#running) {
      const probe = this.#draw();
      const answer = await this.#ask(probe);
      if (answer) this.#evaluate(probe, answer);
      await sleep(PAUSE_MS);
    }
  }

  /**
   * Draws a pod that has to be refused. If no pod of the first draws has to be refused, the result is the pod of the
   * last draw. Half of the pods are in the sentinel's namespace.
   */
  #draw(): Probe {
    const among = this.#random.int(2) === 0 ? this.#sentinels : this.#probes;
    let probe = oneOf(among, this.#random);
    for (let draw = 1; draw < DRAWS && !this.#window.refuses(probe); draw++) probe = oneOf(among, this.#random);
    return probe;
  }

  /**
   * Compares the answer with the current window. The window also has the states that were added after the request was
   * sent. An added state may have been in force when the API server decided.
   */
  #evaluate(probe: Probe, answer: { status: number; message: string }): void {
    this.tried++;
    if (!this.#window.refuses(probe)) return;
    this.forbidden++;
    if (answer.status === 201) this.wider.push(`${new Date().toISOString()} ${describe(probe, answer)}`);
  }

  /** The answer to a dry run of the pod. While no API server runs, the function returns undefined. */
  async #ask({ pod, namespace }: Probe): Promise<{ status: number; message: string } | undefined> {
    const path = `${NAMESPACES}/${namespace}/pods`;
    try {
      const { status, body } = await this.#api.ask('POST', path, { body: pod, as: CREATOR, query: { dryRun: 'All' } });
      return { status, message: body.message ?? '' };
    } catch {
      return undefined;
    }
  }
}

function describe({ pod, namespace }: Probe, { status, message }: { status: number; message: string }): string {
  const { spec } = pod as { spec: object };
  return `in ${namespace} ${JSON.stringify(spec)}: ${status === 201 ? 'admitted' : `${status} ${message}`}`;
}
