/**
 * Runs clients that create, break and repair workloads. The clients also create namespaces, and try requests that must
 * be refused.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, Api, Json } from '../../hack/controlplane/api.ts';
import { CREATOR, createNamespace } from '../support/harness.ts';
import { change, EDITOR, isChanged, ROUTES } from '../support/namespace-changes.ts';
import { privilegedPod } from '../support/pod-manifests.ts';
import type { Random } from '../support/random.ts';
import { NAMESPACES } from '../support/rendered.ts';
import {
  type CampaignNamespace,
  cronJob,
  deployment,
  deploymentPath,
  LOWER,
  PENDING_LABEL,
  POLICY,
  pod,
  SELECTED,
} from './population.ts';
import type { Truth } from './truth.ts';

const PENDING = { [PENDING_LABEL]: 'pending' };
const CRON_POD_MS = 1_000;

export interface ClientOptions {
  readonly api: Api;
  readonly namespaces: readonly CampaignNamespace[];
  readonly truth: Truth;
  readonly random: () => Random;
  readonly soakMs: number;
}

type Count = 'admitted' | 'refused' | 'broken' | 'repaired' | 'made' | 'lower' | 'edits';

export class Clients {
  readonly #options: ClientOptions;
  readonly #counts: Record<Count, number> = {
    admitted: 0,
    refused: 0,
    broken: 0,
    repaired: 0,
    made: 0,
    lower: 0,
    edits: 0,
  };
  /**
   * Functions by namespace. Each function repairs the violating Deployments and the permanent violating pods of its
   * namespace.
   */
  readonly #repairs = new Map<string, () => Promise<void>>();
  readonly failures: string[] = [];
  /** Namespaces that clients created during the rollout. */
  readonly made: string[] = [];
  #paused: Promise<void> | undefined;
  #resume = () => {};
  #running = 0;
  #stopped = false;
  /** Whether the enforced part is in force. When the value is true, the policy is enforced in new namespaces. */
  inForce = false;
  #work: Promise<void>[] = [];

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** Registers the violations of the populated namespaces, so that the clients can repair the violations. */
  adopt(): void {
    const { namespaces, truth } = this.#options;
    for (const { name, kind } of namespaces) {
      const [known] = truth.of(name);
      const ends = () => {
        if (known) known.until = Date.now();
      };
      if (kind === 'deployment') this.#repairs.set(name, () => this.#repairDeployment(name, ends));
      if (kind === 'pod') this.#repairs.set(name, () => this.#removePod(name, 'stays', ends));
    }
  }

  get summary(): string {
    return Object.entries(this.#counts)
      .map(([what, count]) => `${what} ${count}`)
      .join(', ');
  }

  get counts(): Readonly<Record<Count, number>> {
    return this.#counts;
  }

  start(): void {
    const { namespaces, random, soakMs } = this.#options;
    const often = Math.min(1_000, soakMs / 10);
    const crons = namespaces.filter(({ kind }) => kind === 'cron');
    this.#work = [
      ...crons.map(({ name }) => this.#cron(name, random())),
      this.#repeat(often / 2, random(), (draw) => this.#pod(draw)),
      this.#repeat(often * 2, random(), (draw) => this.#breakDeployment(draw)),
      this.#repeat(often * 3, random(), (draw) => this.#repair(draw)),
      this.#repeat(often * 3, random(), () => this.#namespace()),
      this.#repeat(often / 4, random(), (draw) => this.#tryLower(draw)),
      this.#repeat(often, random(), (draw) => this.#edit(draw)),
    ];
  }

  /**
   * Pauses the clients. The promise resolves when no request is in flight. When the promise resolves, some pods with a
   * lifetime of one second may still exist.
   */
  async pause(): Promise<void> {
    this.#paused ??= new Promise((resolve) => {
      this.#resume = resolve;
    });
    while (this.#running > 0) await sleep(10);
  }

  resume(): void {
    this.#paused = undefined;
    this.#resume();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.resume();
    await Promise.all(this.#work);
  }

  /** Repairs the current violations, apart from the first `kept` violations. */
  async repairAllBut(kept: number): Promise<void> {
    for (const [name, repair] of [...this.#repairs].slice(kept)) {
      this.#repairs.delete(name);
      await repair();
    }
  }

  /** Tries a violating pod in each namespace, by dry run. @returns a message for each namespace with a wrong answer */
  async differing(namespaces: readonly { readonly name: string; readonly enforced: boolean }[]): Promise<string[]> {
    const left = [...namespaces];
    const wrong: string[] = [];
    const worker = async () => {
      for (let namespace = left.shift(); namespace; namespace = left.shift()) {
        const { name, enforced } = namespace;
        const request = { body: pod('asked', true), as: CREATOR, query: { dryRun: 'All' } };
        const answer = await this.#options.api.ask('POST', `${NAMESPACES}/${name}/pods`, request);
        if (isRefusal(answer) !== enforced)
          wrong.push(`${name} is enforced: ${enforced}, but answers ${answer.status}`);
      }
    };
    await Promise.all(Array.from({ length: 8 }, worker));
    return wrong;
  }

  async #repeat(everyMs: number, random: Random, work: (draw: Random) => Promise<void>): Promise<void> {
    while (!this.#stopped) {
      await this.#once(() => work(random));
      await sleep(everyMs / 2 + random.int(Math.max(1, everyMs)));
    }
  }

  async #once(work: () => Promise<void>): Promise<void> {
    while (this.#paused) await this.#paused;
    this.#running++;
    try {
      await work();
    } finally {
      this.#running--;
    }
  }

  /**
   * Creates a violating pod that lives for a second, about three times during a soak. The namespace has no other
   * violation.
   */
  async #cron(name: string, random: Random): Promise<void> {
    const { api, soakMs } = this.#options;
    const owner = await cronJob(api, name);
    for (let run = 0; !this.#stopped; run++) {
      await this.#once(async () => {
        const ends = await this.#create(name, `nightly-${run}`, owner);
        if (!ends) return;
        await sleep(CRON_POD_MS);
        await this.#removePod(name, `nightly-${run}`, ends);
      });
      await sleep(soakMs / 6 + random.int(soakMs / 3));
    }
  }

  /** Creates a violating pod, and removes the pod soon. */
  async #pod(draw: Random): Promise<void> {
    const name = this.#any(draw);
    const podName = `pod-${draw.int(1_000_000)}`;
    const ends = await this.#create(name, podName);
    if (!ends) return;
    await sleep(draw.int(500));
    await this.#removePod(name, podName, ends);
  }

  /**
   * @returns a function that ends the violation, or undefined if the pod was refused. A refusal is correct only after
   * the promotion of the namespace.
   */
  async #create(namespace: string, name: string, owner?: Json): Promise<(() => void) | undefined> {
    const { api, truth } = this.#options;
    const path = `${NAMESPACES}/${namespace}`;
    const { status, body } = await api.ask('POST', `${path}/pods`, { body: pod(name, true, owner), as: CREATOR });
    if (status === 201) {
      this.#counts.admitted++;
      return truth.begins(namespace, `Pod ${name}`);
    }
    // A removed label never returns. If the namespace has the label now, the namespace also had the label when the pod
    // was refused.
    const { metadata } = await api.get(path);
    if (metadata.labels?.[PENDING_LABEL] !== undefined)
      this.failures.push(`${at()} a pod was refused in pending namespace ${namespace}: ${status} ${body.message}`);
    if (!isRefusal({ status, body })) this.failures.push(`${at()} unexpected answer in ${namespace}: ${body.message}`);
    this.#counts.refused++;
    return undefined;
  }

  async #removePod(namespace: string, name: string, ends: () => void): Promise<void> {
    ends();
    const path = `${NAMESPACES}/${namespace}/pods/${name}`;
    await this.#options.api.ask('DELETE', path, { query: { gracePeriodSeconds: '0' } });
  }

  /** Changes a Deployment to a violating Deployment. The API server must accept every template, in any namespace. */
  async #breakDeployment(draw: Random): Promise<void> {
    const { api, truth } = this.#options;
    const name = this.#any(draw);
    if (this.#repairs.has(name)) return;
    this.#counts.broken++;
    await api.apply(deploymentPath(name), deployment(false));
    const ends = truth.begins(name, 'Deployment web');
    this.#repairs.set(name, () => this.#repairDeployment(name, ends));
  }

  async #repair(draw: Random): Promise<void> {
    const all = [...this.#repairs];
    const [name, repair] = all[draw.int(all.length || 1)] ?? [];
    if (name === undefined || !repair) return;
    this.#repairs.delete(name);
    this.#counts.repaired++;
    await repair();
  }

  async #repairDeployment(name: string, ends: () => void): Promise<void> {
    ends();
    await this.#options.api.apply(deploymentPath(name), deployment(true));
  }

  /** Creates a namespace. The policy must be enforced in the new namespace from the first pod on. */
  async #namespace(): Promise<void> {
    if (!this.inForce) return;
    const { api } = this.#options;
    const name = `campaign-new-${this.made.length}`;
    this.made.push(name);
    await createNamespace(api, name, SELECTED);
    const answer = await api.ask('POST', `${NAMESPACES}/${name}/pods`, { body: pod('first', true), as: CREATOR });
    this.#counts.made++;
    if (!isRefusal(answer))
      this.failures.push(
        `${at()} the first pod of new namespace ${name}: ${answer.status} ${answer.body.message ?? ''}`,
      );
  }

  /** Tries a pod that the policy of lower priority must always refuse in every namespace. */
  async #tryLower(draw: Random): Promise<void> {
    const name = this.#any(draw);
    const request = { body: privilegedPod(), as: CREATOR, query: { dryRun: 'All' } };
    const answer = await this.#options.api.ask('POST', `${NAMESPACES}/${name}/pods`, request);
    this.#counts.lower++;
    if (!isRefusal(answer))
      this.failures.push(`${at()} ${LOWER} admitted a privileged pod in ${name}: ${answer.status}`);
  }

  /**
   * Tries to make a namespace pending. The request comes from a user who may edit namespaces. Each request that changes
   * or creates the namespace must be refused.
   */
  async #edit(draw: Random): Promise<void> {
    if (!this.inForce) return;
    const { api, namespaces } = this.#options;
    const { name } = namespaces[draw.int(namespaces.length)] as CampaignNamespace;
    const { metadata } = await api.get(`${NAMESPACES}/${name}`);
    const route = ROUTES[draw.int(ROUTES.length)];
    if (metadata.labels?.[PENDING_LABEL] === undefined && route) {
      const wanted = { labels: PENDING };
      const answer = await change(api, name, wanted, EDITOR, route);
      if (isChanged(answer, wanted)) this.failures.push(`${at()} ${route.title} made ${name} pending`);
    }
    const body = {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'campaign-sneaked', labels: { ...SELECTED, ...PENDING } },
    };
    const { status } = await api.ask('POST', NAMESPACES, { body, as: EDITOR, query: { dryRun: 'All' } });
    if (status === 201) this.failures.push(`${at()} a namespace was created pending`);
    this.#counts.edits++;
  }

  #any(draw: Random): string {
    const { namespaces } = this.#options;
    return (namespaces[draw.int(namespaces.length)] as CampaignNamespace).name;
  }
}

function isRefusal({ status, body }: Pick<Answer, 'status' | 'body'>): boolean {
  const message: string = body.message ?? '';
  return (
    status >= 400 &&
    (message.includes(`CapabilityPolicy ${POLICY}`) ||
      message.includes('violates PodSecurity') ||
      message.includes(`CapabilityPolicy ${LOWER}`))
  );
}

function at(): string {
  return new Date().toISOString();
}
