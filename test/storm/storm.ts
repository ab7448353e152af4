/** Runs a storm on a separate control plane. In a storm, policies change all the time while clients create pods. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CrashedServer, startControlPlane } from '../../hack/controlplane/controlplane.ts';
import { TestCluster } from '../support/harness.ts';
import { attemptsOf, bring, changesAt, prepare } from '../support/transitioning.ts';
import { TRANSITIONS, type Transition } from '../support/transitions.ts';
import { PodClients } from './clients.ts';
import { crashIn } from './crash-log.ts';
import { ProgramsWithVariables } from './with-variables.ts';

/**
 * The form of the rendered programs. With `auto`, the operator chooses the form for the oldest API server, as in a
 * cluster. The value `variables` means the form for Kubernetes 1.36 and newer.
 */
export type Rendering = 'auto' | 'variables';

export interface StormOptions {
  readonly rendering: Rendering;
  /**
   * The maximum number of policy changes. The storm also ends after a maximum time in milliseconds, or after a maximum
   * number of crashes.
   */
  readonly changes: number;
  readonly durationMs: number;
  readonly crashes: number;
  /** The folder for the logs of the servers. */
  readonly logDir: string;
  readonly say: (line: string) => void;
}

export interface StormResult {
  readonly seconds: number;
  /** The number of policies that were created, edited or deleted. */
  readonly changes: number;
  /** The number of admission policies that the API server has accepted since its last start. */
  readonly admissionPolicies: number;
  readonly pods: PodClients['counts'];
  readonly wrong: readonly string[];
  /** The crashes. Each crash is one line of text, with the time and the cause. */
  readonly crashes: readonly string[];
}

/**
 * Within this time in ms, every policy changes once. After this time, the next round of changes begins. Every second
 * round also waits until all policies are in force.
 */
const BURST_MS = 400;
const SAY_EVERY_SECONDS = 60;
const ATTEMPTS = 20;
const CREATED = /^apiserver_request_total\{(?=.*code="201")(?=.*resource="validatingadmissionpolicies").*\} (\d+)$/gm;

export async function storm(options: StormOptions): Promise<StormResult> {
  const crashed: CrashedServer[] = [];
  const onCrash = (server: CrashedServer) => void crashed.push(server);
  const controlPlane = await startControlPlane({ quiet: true, logDir: options.logDir, onCrash });
  const cluster = new TestCluster('storm');
  try {
    await cluster.start(controlPlane, []);
    const run = new Storm(cluster, crashed, options);
    if (options.rendering === 'auto') return await run.run();
    // The operator is stopped before the first policy exists.
    await cluster.operator.stop();
    const programs = new ProgramsWithVariables(controlPlane.kubeconfig, cluster.api);
    return await run.run().finally(() => programs.stop());
  } finally {
    await cluster.operator.stop();
    await cluster.api.close();
    await controlPlane.stop();
  }
}

class Storm {
  readonly #cluster: TestCluster;
  readonly #crashed: CrashedServer[];
  readonly #options: StormOptions;
  readonly #crashes: string[] = [];
  #clients: PodClients | undefined;
  #began = performance.now();
  #changes = 0;

  /** @param crashed the servers that have crashed and have not been restarted yet. More servers may be added later. */
  constructor(cluster: TestCluster, crashed: CrashedServer[], options: StormOptions) {
    this.#cluster = cluster;
    this.#crashed = crashed;
    this.#options = options;
  }

  async run(): Promise<StormResult> {
    const cluster = this.#cluster;
    await Promise.all(TRANSITIONS.map((transition) => prepare(cluster, transition)));
    await this.#persist(() => Promise.all(TRANSITIONS.map((transition) => bring(cluster, transition, 0))));
    await this.#persist(() => this.#inForce());
    this.#began = performance.now();
    const attempts = TRANSITIONS.flatMap((transition) => attemptsOf(cluster, transition));
    const clients = new PodClients(cluster, attempts);
    this.#clients = clients;
    await this.#change();
    await clients.stop();
    const isUp = this.#crashes.length < this.#options.crashes;
    return {
      seconds: this.#seconds,
      changes: this.#changes,
      admissionPolicies: isUp ? await this.#admissionPolicies() : 0,
      pods: clients.counts,
      wrong: clients.wrong,
      crashes: this.#crashes,
    };
  }

  async #change(): Promise<void> {
    for (let step = 1, said = 0; !this.#isOver; step++) {
      await Promise.all(TRANSITIONS.map((transition) => this.#changeOne(transition, step)));
      if (step % 2 === 0) await this.#persist(() => this.#inForce());
      if (this.#seconds < said + SAY_EVERY_SECONDS) continue;
      said = this.#seconds;
      this.#options.say(this.#progress);
    }
  }

  async #changeOne(transition: Transition, step: number): Promise<void> {
    await sleep(Math.random() * BURST_MS);
    const changed = await this.#persist(() => bring(this.#cluster, transition, step));
    if (changed) this.#changes += changesAt(transition, step);
  }

  /**
   * If the work fails because the API server is down, the function repeats the work until the API server is up.
   * @returns whether the work succeeded before the end of the storm
   */
  async #persist(act: () => Promise<unknown>): Promise<boolean> {
    for (let attempt = 1; !this.#isOver; attempt++) {
      try {
        await act();
        return true;
      } catch (error) {
        if (attempt === ATTEMPTS) throw error;
        await this.#revive();
        await sleep(500);
      }
    }
    return false;
  }

  async #revive(): Promise<void> {
    const server = this.#crashed.shift();
    if (server === undefined) return;
    this.#crashes.push(`${this.#progress}: ${causeOf(server)}`);
    this.#options.say(`crash ${this.#crashes.length} after ${this.#crashes.at(-1)}`);
    if (!this.#isOver) await this.#cluster.controlPlane.restartApiServer();
  }

  async #inForce(): Promise<void> {
    await this.#cluster.programmed(...(await this.#cluster.policies()));
  }

  /** The number of admission policies that the API server has accepted, from its metrics. */
  async #admissionPolicies(): Promise<number> {
    const { body } = await this.#cluster.api.ask('GET', '/metrics');
    return [...String(body.message).matchAll(CREATED)].reduce((sum, [, count]) => sum + Number(count), 0);
  }

  get #isOver(): boolean {
    const { changes, durationMs, crashes } = this.#options;
    return this.#changes >= changes || this.#seconds * 1000 >= durationMs || this.#crashes.length >= crashes;
  }

  get #seconds(): number {
    return (performance.now() - this.#began) / 1000;
  }

  get #progress(): string {
    return `${this.#seconds.toFixed(0)} s, ${this.#changes} changes, ${this.#clients?.sent ?? 0} pods`;
  }
}

/** The cause of a crash as text: the error, and the place of the error in the code. */
function causeOf({ name, logFile, message }: CrashedServer): string {
  const crash = crashIn(readFileSync(logFile, 'utf8'));
  if (crash === undefined) return message;
  return [`${name}: ${crash.error}`, ...crash.frames.map((frame) => `    ${frame}`), `    (${logFile})`].join('\n');
}
