/**
 * Runs a cluster that changes at random while faults occur. The test kills, stops and cuts off two operators behind
 * fault proxies, and crashes an API server. After each round, the cluster must be in the state that a fresh operator
 * would produce. During a round, the API server must not admit a pod that every possible state of the policies refuses.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Api } from '../../hack/controlplane/api.ts';
import { type ControlPlane, startControlPlane } from '../../hack/controlplane/controlplane.ts';
import { allowCreators, installCrd } from '../support/harness.ts';
import { Random } from '../support/random.ts';
import { installReportCrd, OPEN_REPORTS } from '../support/report-crds.ts';
import { AuditLog } from './audit.ts';
import { Churn } from './churn.ts';
import { Deck, DISTURBANCES, type Disturbance } from './disturbances.ts';
import { FaultProxy } from './fault-proxy.ts';
import { type Comparison, compareFromScratch } from './from-scratch.ts';
import { Memory } from './memory.ts';
import { newPopulation } from './population.ts';
import { Probes } from './probes.ts';
import { grantReplicas, REPLICAS, Replica, replicaKubeconfig } from './replicas.ts';
import { type SoakFigures, shortcomings, summary } from './summary.ts';
import { Window } from './window.ts';

interface SoakOptions {
  readonly seed: number;
  /**
   * The length of the run in ms. New rounds begin until this time has passed. If fewer than `leastRounds` rounds have
   * run, more rounds begin.
   */
  readonly durationMs: number;
  readonly leastRounds: number;
  /** The time in ms for which the cluster changes in a round. After this time, the test checks the cluster. */
  readonly roundMs: number;
  readonly disturbancesOfRound: number;
  /**
   * The longest silence of a watch, in ms. A client trusts a silent watch only for a limited time. In the long form of
   * the test, a silence is longer than the client's limit. The client therefore has to cut the watch.
   */
  readonly silenceMs: number;
  readonly namespaces: number;
  readonly policies: number;
  /** The test calls this function with one line for each check. */
  readonly say: (line: string) => void;
}

interface SoakResult {
  /** The errors of the run. If the run had no errors, the list is empty. */
  readonly failures: readonly string[];
  /** A summary of the run, in one line. */
  readonly summary: string;
}

/**
 * The time in ms that the cluster may need to settle. This time is long enough for a watch that becomes silent at the
 * end of a round (reading.ts, MOST_SILENCE_MS).
 */
const SETTLE_MS = 240_000;
const COMPARE_AGAIN_MS = 500;
const LOOK_MS = 1_500;
/**
 * The maximum number of rounds that are added to a run with too few faults. A short run on a slow machine may have too
 * few faults.
 */
const MORE_ROUNDS = 2;

export async function soak(options: SoakOptions): Promise<SoakResult> {
  const audit = new AuditLog(REPLICAS);
  const controlPlane = await startControlPlane({ quiet: true, apiServerFlags: audit.flags });
  const api = new Api(controlPlane.kubeconfig);
  const run = new Soak(options, { controlPlane, api, audit });
  try {
    return await run.run();
  } finally {
    await run.end();
    await api.close();
    await controlPlane.stop();
    audit.remove();
  }
}

interface SoakCluster {
  readonly controlPlane: ControlPlane;
  readonly api: Api;
  readonly audit: AuditLog;
}

class Soak {
  readonly #options: SoakOptions;
  readonly #cluster: SoakCluster;
  readonly #began = performance.now();
  readonly #window = new Window();
  readonly #churn: Churn;
  readonly #probes: Probes;
  readonly #deck: Deck;
  readonly #memory = new Memory();
  /** The leader at the time of the last disturbance. */
  #leader: Replica | undefined;
  readonly #replicas: Replica[] = [];
  readonly #disturbed: Disturbance[] = [];
  readonly #failures: string[] = [];
  #streams = 0;
  #sampling: NodeJS.Timeout | undefined;
  #checks = 0;

  constructor(options: SoakOptions, cluster: SoakCluster) {
    this.#options = options;
    this.#cluster = cluster;
    const population = newPopulation(options.namespaces, options.policies);
    this.#churn = new Churn(cluster.api, this.#window, this.#random(), population);
    this.#probes = new Probes(cluster.api, this.#window, this.#random(), population);
    this.#deck = new Deck(this.#random());
  }

  async run(): Promise<SoakResult> {
    await this.#begin();
    await this.#check();
    while (this.#failures.length === 0 && this.#goesOn()) {
      await this.#round();
      await this.#check();
    }
    const figures = this.#figures();
    const failures = this.#failures.length > 0 ? [...this.#failures] : shortcomings(figures);
    if (failures.length > 0)
      failures.push(...this.#replicas.map(({ name, process }) => `${name}:\n${process.logEnd()}`));
    return { failures, summary: `seed ${this.#options.seed}: ${summary(figures)}` };
  }

  async end(): Promise<void> {
    clearInterval(this.#sampling);
    await Promise.all(this.#replicas.map(({ process }) => process.stop('SIGKILL')));
    await Promise.all(this.#replicas.map(({ proxy }) => proxy.close()));
  }

  #goesOn(): boolean {
    const { durationMs, leastRounds } = this.#options;
    if (this.#elapsedMs < durationMs || this.#checks <= leastRounds) return true;
    return this.#checks <= leastRounds + MORE_ROUNDS && shortcomings(this.#figures()).length > 0;
  }

  async #begin(): Promise<void> {
    const { controlPlane, api } = this.#cluster;
    await installCrd(api);
    await installReportCrd(api, OPEN_REPORTS);
    await allowCreators(api);
    await grantReplicas(api);
    for (const name of REPLICAS) {
      const own = replicaKubeconfig(controlPlane, name);
      const proxy = await FaultProxy.start(own, this.#random());
      this.#replicas.push(new Replica(name, proxy, proxy.kubeconfig(own)));
    }
    for (const { process } of this.#replicas) await process.startAndWatch();
    this.#sampling = setInterval(() => this.#look(), LOOK_MS);
    await this.#churn.populate();
  }

  async #round(): Promise<void> {
    const changing = new AbortController();
    for (const { proxy } of this.#replicas) proxy.storm();
    this.#probes.start();
    const churning = this.#churn.run(changing.signal);
    const disturbing = this.#disturb();
    try {
      await Promise.race([Promise.all([disturbing, sleep(this.#options.roundMs)]), churning]);
    } finally {
      changing.abort();
    }
    await churning;
    await this.#probes.stop();
    for (const { proxy } of this.#replicas) proxy.calm();
    await disturbing;
  }

  /**
   * Makes disturbances one after the other. A silent watch does not delay the next disturbance. The check does not wait
   * for the end of the silence.
   */
  async #disturb(): Promise<void> {
    const random = this.#random();
    const { disturbancesOfRound, roundMs } = this.#options;
    for (let left = disturbancesOfRound; left > 0; left--) {
      await sleep(random.int(roundMs / disturbancesOfRound / 2));
      const drawn = this.#deck.draw();
      this.#disturbed.push(drawn);
      this.#leader = this.#holder();
      const disturbed = DISTURBANCES[drawn](this.#scene(this.#leader), random);
      if (drawn !== 'silence the leader') await disturbed;
    }
  }

  /** The replica that has the Lease. If no replica has the Lease, the result is the replica that had the Lease last. */
  #holder(): Replica {
    const [first, second] = this.#replicas as [Replica, Replica];
    return this.#cluster.audit.turns().holders.at(-1) === second.name ? second : first;
  }

  #scene(leader: Replica) {
    const [first, second] = this.#replicas as [Replica, Replica];
    return {
      controlPlane: this.#cluster.controlPlane,
      leader,
      standBy: leader === first ? second : first,
      spared: this.#elapsedMs > this.#options.durationMs / 2 ? first : undefined,
      silenceMs: this.#options.silenceMs,
    };
  }

  async #check(): Promise<void> {
    const began = this.#elapsedMs;
    const { state, pods, reports, differences } = await this.#settle();
    this.#failures.push(...differences);
    this.#window.begin(state);
    this.#churn.continueFrom(state);
    if (differences.length === 0) this.#failures.push(...(await this.#probes.differences()));
    const crashes = this.#replicas.flatMap((replica) => replica.crashes);
    this.#failures.push(...this.#probes.wider, ...this.#cluster.audit.turns().outOfTurn, ...crashes);
    this.#say(
      `settled after ${seconds(this.#elapsedMs - began)}: ${state.policies.size} policies, ${state.labels.size} namespaces, ${pods} pods, ${reports} reports`,
    );
    this.#checks++;
  }

  /**
   * @returns the last comparison with a fresh operator. Differences in the result mean that the cluster did not settle
   * within a long time.
   */
  async #settle(): Promise<Comparison> {
    const { api, controlPlane } = this.#cluster;
    const until = this.#elapsedMs + SETTLE_MS;
    for (;;) {
      const comparison = await compareFromScratch(api, controlPlane.kubeconfig);
      if (comparison.differences.length === 0 || this.#elapsedMs > until) return comparison;
      await sleep(COMPARE_AGAIN_MS);
    }
  }

  #say(what: string): void {
    const { changes, faults, turns, probes } = this.#figures();
    const counts = `${changes} changes, ${sum(faults)} faults, ${turns.holders.length} turns, ${probes.tried} pods tried (${probes.forbidden} forbidden)`;
    const verdict = this.#failures.length === 0 ? 'ok' : `${this.#failures.length} FAILURES`;
    this.#options.say(
      `check ${this.#checks} at ${seconds(this.#elapsedMs)}: ${what}; ${counts}; ${this.#memory.now()}; ${verdict}`,
    );
  }

  #figures(): SoakFigures {
    const met = this.#replicas.map(({ proxy }) => proxy.met);
    return {
      minutes: this.#elapsedMs / 60_000,
      checks: this.#checks,
      changes: sum(this.#churn.changes),
      faults: added(met),
      disturbed: this.#disturbed,
      turns: this.#cluster.audit.turns(),
      probes: this.#probes,
      memory: this.#memory.report(this.#options.durationMs / 120_000),
    };
  }

  #look(): void {
    for (const replica of this.#replicas) {
      const leads = replica === this.#leader;
      this.#memory.sample(replica.name, replica.process.pid, this.#elapsedMs / 60_000, leads);
      void replica.supervise();
    }
  }

  get #elapsedMs(): number {
    return performance.now() - this.#began;
  }

  /**
   * Each part of the test has its own random generator. The random numbers of one part therefore do not depend on other
   * parts.
   */
  #random(): Random {
    return new Random(this.#options.seed * 1_000 + this.#streams++);
  }
}

function added(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const one of counts) for (const [key, count] of Object.entries(one)) total[key] = (total[key] ?? 0) + count;
  return total;
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, one) => total + one, 0);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
