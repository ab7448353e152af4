/**
 * Runs a rollout over many namespaces. Meanwhile, clients change workloads, and operators are killed. The test compares
 * the rollout with the API server's watch, with the records of the clients, and with a separate count. The test shares
 * no code with the operator.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Api } from '../../hack/controlplane/api.ts';
import type { ControlPlane } from '../../hack/controlplane/controlplane.ts';
import { grantReplicas } from '../soak/replicas.ts';
import { allowCreators, eventually, installCrd, isProgrammed } from '../support/harness.ts';
import { allowEditor, EDITOR, grant } from '../support/namespace-changes.ts';
import { Random } from '../support/random.ts';
import { NAMESPACES, POLICIES } from '../support/rendered.ts';
import { Clients } from './clients.ts';
import { compare } from './count.ts';
import { endFaults, labelFaults, paceFaults, type Record, soakFaults } from './faults.ts';

import { LabelHistory } from './label-history.ts';
import { Operators } from './operators.ts';
import {
  applyLower,
  applyRollout,
  type CampaignNamespace,
  LOWER,
  newNamespaces,
  PENDING_LABEL,
  POLICY,
  populate,
} from './population.ts';
import { Truth } from './truth.ts';

export interface CampaignOptions {
  readonly seed: number;
  readonly namespaces: number;
  readonly violatingPercent: number;
  readonly soakMs: number;
  readonly namespacesPerHour: number;
  /** The time in ms for which clients change the cluster. */
  readonly durationMs: number;
  readonly kills: number;
  /** The time in ms between two counts. */
  readonly countEveryMs: number;
  readonly say: (line: string) => void;
}

export interface CampaignResult {
  /** The failures that were found. The list is empty if nothing failed. */
  readonly failures: readonly string[];
  readonly summary: string;
}

/** The number of namespaces that still have violations at the end. */
const KEPT = 3;
/**
 * The time in ms that the status and the metrics may need until they agree with the cluster. A new leader needs the
 * Lease of a killed leader first, and a busy machine is several times slower than a quiet one.
 */
const AGREE_MS = 90_000;

export async function campaign(
  controlPlane: ControlPlane,
  api: Api,
  options: CampaignOptions,
): Promise<CampaignResult> {
  const run = new Campaign(controlPlane, api, options);
  try {
    return await run.run();
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${run.logEnds}`, { cause: error });
  } finally {
    await run.end();
  }
}

class Campaign {
  readonly #controlPlane: ControlPlane;
  readonly #api: Api;
  readonly #options: CampaignOptions;
  readonly #truth = new Truth();
  readonly #namespaces: readonly CampaignNamespace[];
  readonly #clients: Clients;
  readonly #began = Date.now();
  readonly #failures: string[] = [];
  #streams = 0;
  #counts = 0;
  #askedAt = 0;
  #history: LabelHistory | undefined;
  #operators: Operators | undefined;

  constructor(controlPlane: ControlPlane, api: Api, options: CampaignOptions) {
    this.#controlPlane = controlPlane;
    this.#api = api;
    this.#options = options;
    const { namespaces, violatingPercent, soakMs } = options;
    this.#namespaces = newNamespaces(namespaces, violatingPercent);
    // The namespaces are populated first. The clients therefore know all violations when the rollout begins.
    this.#clients = new Clients({
      api,
      namespaces: this.#namespaces,
      truth: this.#truth,
      random: () => this.#random(),
      soakMs,
    });
  }

  async run(): Promise<CampaignResult> {
    const operators = await this.#begin();
    const { durationMs, kills } = this.#options;
    const ended = new AbortController();
    const killing = this.#kill(operators, kills, durationMs, ended.signal);
    await this.#countUntil(Date.now() + durationMs, operators);
    await killing;
    ended.abort();
    await this.#clients.stop();
    await this.#clients.repairAllBut(KEPT);
    await this.#settle(operators);
    await this.#count(operators);
    return this.#result(operators);
  }

  get logEnds(): string {
    return this.#operators?.logEnds() ?? '';
  }

  async end(): Promise<void> {
    await this.#clients.stop();
    await this.#operators?.stop();
    this.#history?.end();
  }

  async #begin(): Promise<Operators> {
    const api = this.#api;
    await installCrd(api);
    await allowCreators(api);
    await allowEditor(api);
    await grant(api, EDITOR.user, [{ apiGroups: [''], resources: ['namespaces'], verbs: ['create'] }], {
      name: 'namespace-maker',
    });
    await grantReplicas(api);
    await populate(api, this.#namespaces, this.#truth);
    this.#clients.adopt();
    this.#say(`${this.#namespaces.length} namespaces exist`);
    this.#operators = await Operators.start(this.#controlPlane);
    await applyLower(api);
    await this.#programmed(LOWER);
    this.#history = await LabelHistory.begin(this.#controlPlane, api, PENDING_LABEL);
    const { soakMs, namespacesPerHour } = this.#options;
    this.#askedAt = Date.now();
    await applyRollout(api, soakMs, namespacesPerHour);
    this.#clients.start();
    await this.#programmed(POLICY);
    this.#clients.inForce = true;
    this.#say('the policy is in force, and the rollout has begun');
    return this.#operators;
  }

  async #programmed(name: string): Promise<void> {
    await eventually(`${name} to be in force`, async () => isProgrammed(await this.#api.get(`${POLICIES}/${name}`)));
  }

  async #kill(operators: Operators, kills: number, durationMs: number, ended: AbortSignal): Promise<void> {
    const random = this.#random();
    const until = Date.now() + durationMs;
    for (let left = kills; left > 0 && !ended.aborted; left--) {
      await sleep(random.int(Math.max(1, (2 * (until - Date.now())) / (left + 1))));
      await operators.kill(random);
    }
  }

  async #countUntil(until: number, operators: Operators): Promise<void> {
    const { countEveryMs } = this.#options;
    while (Date.now() < until) {
      await sleep(Math.min(countEveryMs, until - Date.now()));
      await this.#clients.pause();
      await this.#count(operators);
      this.#clients.resume();
    }
  }

  async #count(operators: Operators): Promise<void> {
    this.#counts++;
    const { counted, difference } = await compare(this.#api, () => operators.metrics(), AGREE_MS);
    if (difference !== undefined) this.#failures.push(difference);
    const { enforced, soaking, blocked } = counted;
    this.#say(
      `enforced ${enforced}, soaking ${soaking}, blocked ${blocked}; ${this.#clients.summary}; ${operators.kills} kills; ${difference === undefined ? 'status and metrics agree' : 'STATUS DIFFERS'}`,
    );
  }

  /** Waits until every clean namespace is promoted. The time limit depends on the soak and the pace. */
  async #settle(operators: Operators): Promise<void> {
    const { soakMs, namespacesPerHour } = this.#options;
    const history = this.#history as LabelHistory;
    const left = this.#namespaces.filter(({ name }) => history.promotedAt(name) === undefined).length;
    const atPace = (left * 3_600_000) / namespacesPerHour;
    const mostMs = soakMs + atPace * 1.2 + 15_000;
    const from = Date.now();
    const done = async () => endFaults(this.#record(operators)).length === 0;
    await eventually('the rollout to end', done, mostMs).catch(() => undefined);
    this.#say(`settled after ${((Date.now() - from) / 1000).toFixed(1)} s; ${left} namespaces were pending`);
  }

  async #result(operators: Operators): Promise<CampaignResult> {
    const history = this.#history as LabelHistory;
    await history.caughtUp();
    const record = this.#record(operators);
    const failures = [
      ...this.#failures,
      ...this.#clients.failures,
      ...labelFaults(record),
      ...soakFaults(record),
      ...paceFaults(record),
      ...endFaults(record),
      ...(await this.#notEnforced(record)),
      ...this.#shortcomings(operators),
    ];
    if (failures.length > 0) failures.push(operators.logEnds());
    const promotions = history.promotions(this.#namespaces.map(({ name }) => name)).length;
    const summary = [
      `seed ${this.#options.seed}: ${((Date.now() - this.#began) / 60_000).toFixed(1)} min, ${this.#namespaces.length} namespaces`,
      `${promotions} promotions, ${this.#truth.size} violations, ${operators.kills} kills, ${this.#counts} counts`,
      `requests: ${this.#clients.summary}`,
    ].join('; ');
    return { failures, summary };
  }

  /**
   * The failures of enforcement. A namespace without the label has to refuse violating pods. A namespace with the label
   * has to admit violating pods.
   */
  async #notEnforced({ namespaces, history }: Record): Promise<string[]> {
    return this.#clients.differing(
      namespaces.map(({ name }) => ({ name, enforced: history.promotedAt(name) !== undefined })),
    );
  }

  /** The reasons why a run is inconclusive, although the run has no failures. */
  #shortcomings({ kills }: Operators): string[] {
    const { admitted, refused, lower } = this.#clients.counts;
    return [
      ...(kills < this.#options.kills ? [`only ${kills} kills`] : []),
      ...(admitted === 0 ? ['no violating pod was admitted in a pending namespace'] : []),
      ...(refused === 0 && this.#clients.made.length === 0 ? ['no pod was refused'] : []),
      ...(lower === 0 ? ['the policy of lower priority was not tried'] : []),
    ];
  }

  #record({ gaps, promoted: logged }: Operators): Record {
    const { soakMs, namespacesPerHour } = this.#options;
    const history = this.#history as LabelHistory;
    const { made } = this.#clients;
    const asked = { soakMs, namespacesPerHour, askedAt: this.#askedAt };
    return { namespaces: this.#namespaces, made, history, truth: this.#truth, gaps, logged, ...asked };
  }

  #say(what: string): void {
    this.#options.say(`${((Date.now() - this.#began) / 1000).toFixed(1)} s: ${what}`);
  }

  /**
   * Each part of the campaign has its own random generator. The random values of one part therefore do not depend on
   * other parts.
   */
  #random(): Random {
    return new Random(this.#options.seed * 1_000 + this.#streams++);
  }
}

/** Deletes the objects that remain from a campaign. */
export async function removeCampaign(api: Api): Promise<void> {
  await Promise.all([POLICY, LOWER].map((name) => api.remove(`${POLICIES}/${name}`)));
  const namespaces = await api.list(NAMESPACES);
  const own = namespaces.filter(({ metadata }) => metadata.name.startsWith('campaign-'));
  await Promise.all(own.map(({ metadata }) => api.remove(`${NAMESPACES}/${metadata.name}`)));
}
