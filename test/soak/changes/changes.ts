/**
 * Tests a law about changes of policies. The test creates, changes and deletes policies. Policies also expire. A pod
 * that both the old and the new state admit is never refused. A pod that both states refuse is never admitted. The test
 * kills operators before and after their writes. The test kills API servers at any time.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { NODE_FLAGS } from '../../../hack/bench/operator-under-test.ts';
import { Api, type Json } from '../../../hack/controlplane/api.ts';
import { type ControlPlane, startControlPlane } from '../../../hack/controlplane/controlplane.ts';
import { waitFor } from '../../../hack/controlplane/wait.ts';
import { type CapabilityPolicySpec, NAME_LABEL } from '../../../operator/api/capability-policy.ts';
import { concurrently } from '../../differential/policies/campaign.ts';
import type { Grant } from '../../differential/sets/reference-model.ts';
import { allowCreators, conditionOf, createNamespace, installCrd, isProgrammed } from '../../support/harness.ts';
import { OperatorProcess } from '../../support/operator-process.ts';
import { policyManifest } from '../../support/policies.ts';
import { Random } from '../../support/random.ts';
import { NAMESPACES, POLICIES } from '../../support/rendered.ts';
import { OPERATOR_NAMESPACE } from '../../support/rights.ts';
import { FaultProxy } from '../fault-proxy.ts';
import { grantReplicas, replicaKubeconfig } from '../replicas.ts';
import { ACCOUNTS, Clients, type Wrong } from './clients.ts';
import { type Change, changed, MARKER, randomChange, randomLabels } from './random-state.ts';
import { type State, Timeline } from './timeline.ts';

export interface ChangesOptions {
  readonly seed: number;
  /** The number of random changes. The test makes one change after another. */
  readonly changes: number;
  /**
   * The number of policies in a file, or 0 for no file. One of the policies is for all namespaces. Each of the
   * remaining policies is an exception for one namespace.
   */
  readonly file: number;
  readonly namespaces: number;
  readonly policies: number;
  /** Whether the test kills operators and API servers. */
  readonly kills: boolean;
  say(line: string): void;
}

export interface ChangesResult {
  readonly changes: number;
  readonly kills: Readonly<Record<Kill, number>>;
  readonly counts: Clients['counts'];
  readonly wrong: readonly Wrong[];
}

type Kill = 'before a write' | 'after a write' | 'API server' | 'none';

const KILLS: readonly Kill[] = [
  'before a write',
  'after a write',
  'before a write',
  'after a write',
  'API server',
  'none',
];
/**
 * The upper bound for the number of writes before a kill. The number of writes before a kill is always smaller than
 * this bound.
 */
const MOST_WRITES = 8;
/**
 * The time in ms to wait for the write at which the operator is killed. If the operator does not make this write in
 * time, the test kills the operator anyway.
 */
const WRITE_MS = 6_000;
const SETTLED_MS = 300_000;
/**
 * When all policies have the condition Programmed, the Pod Security labels change within this time in ms. The labels
 * change if a policy was deleted or the labels of a namespace were changed.
 */
const LABELS_MS = 4_000;
/** The longest time in ms between two writes that the operator treats as one change. */
const PAUSE_MS = 200;
/**
 * The number of times that a file is applied. Before the file is applied for the second time, the rules of the file
 * change. Before the third time, the rules change back.
 */
const EDITIONS = 3;
const ENOUGH_VERDICTS = 200;

export async function changes(options: ChangesOptions): Promise<ChangesResult> {
  const controlPlane = await startControlPlane({ quiet: true });
  const run = new ChangesRun(controlPlane, options);
  try {
    await run.open();
    if (options.changes > 0) await run.changeAtRandom();
    if (options.file > 0) await run.applyFiles();
    return run.result;
  } finally {
    await run.close();
    await controlPlane.stop();
  }
}

class ChangesRun {
  readonly #controlPlane: ControlPlane;
  readonly #options: ChangesOptions;
  readonly #api: Api;
  readonly #random: Random;
  readonly #names: { readonly policies: readonly string[]; readonly namespaces: readonly string[] };
  readonly #grants: readonly Grant[];
  readonly #timeline: Timeline;
  readonly #kills: Record<Kill, number> = { 'before a write': 0, 'after a write': 0, 'API server': 0, none: 0 };
  #state: State = { policies: new Map(), namespaces: new Map() };
  #proxy: FaultProxy | undefined;
  #operator: OperatorProcess | undefined;
  #clients: Clients | undefined;
  #changes = 0;
  /** Whether the API server is ready (/readyz). */
  #isReady = true;
  /** Whether Pod Security labels may change after all policies have the condition Programmed. */
  #labelsFollow = false;

  constructor(controlPlane: ControlPlane, options: ChangesOptions) {
    this.#controlPlane = controlPlane;
    this.#options = options;
    this.#api = new Api(controlPlane.kubeconfig);
    this.#random = new Random(options.seed);
    const many = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}-${i}`);
    const namespaces = many('changes', options.namespaces);
    this.#names = { policies: many('policy', options.policies), namespaces };
    this.#grants = this.#names.policies.map((policy, i): Grant => {
      const namespace = namespaces[i % namespaces.length] ?? '';
      return { policy, namespace, subject: { kind: 'ServiceAccount', name: 'runner', namespace } };
    });
    this.#timeline = new Timeline(this.#grants);
  }

  get result(): ChangesResult {
    const { counts = { admitted: 0, refused: 0, unanswered: 0, bound: 0 }, wrong = [] } = this.#clients ?? {};
    return { changes: this.#changes, kills: this.#kills, counts, wrong };
  }

  async open(): Promise<void> {
    await installCrd(this.#api);
    await createNamespace(this.#api, OPERATOR_NAMESPACE);
    await grantReplicas(this.#api);
    await allowCreators(this.#api);
    for (const name of this.#names.namespaces) await this.#createNamespace(name);
    for (const grant of this.#grants) await this.#grant(grant);
    this.#timeline.begin('nothing', this.#state);
    this.#timeline.settle();
    this.#proxy = await FaultProxy.start(replicaKubeconfig(this.#controlPlane, 'replica-a'), this.#random);
    await this.#startOperator();
    const { seed } = this.#options;
    this.#clients = await Clients.start({
      api: this.#api,
      timeline: this.#timeline,
      namespaces: this.#names.namespaces,
      seed,
      isReady: () => this.#isReady,
    });
  }

  async close(): Promise<void> {
    await this.#clients?.stop().catch(() => {});
    await this.#operator?.stop('SIGKILL');
    await this.#proxy?.close();
    await this.#api.close();
  }

  async changeAtRandom(): Promise<void> {
    for (let index = 0; index < this.#options.changes; index++) {
      // Some seeds would draw only policies that refuse no pod, so the first policy refuses pods in every namespace.
      const change =
        index === 0
          ? changed('write the first policy', this.#state, [[this.#names.policies[0] ?? '', REFUSING]])
          : randomChange(this.#state, this.#names, this.#random);
      const kill = this.#options.kills ? (KILLS[index % KILLS.length] ?? 'none') : 'none';
      const writes = Math.floor(index / KILLS.length) % MOST_WRITES;
      await this.#make(change, kill, writes);
      // Some changes begin before the previous change has settled.
      if (this.#random.int(4) > 0 || index + 1 === this.#options.changes) await this.#settle(change.title);
    }
    await this.#settle('the last change');
    await this.#enoughVerdicts();
  }

  /**
   * Applies a policy for all namespaces together with its exceptions, in a random order. Afterwards, applies the same
   * policies again with other rules.
   */
  async applyFiles(): Promise<void> {
    const gone = [...this.#state.policies.keys()].map((name) => [name, undefined] as const);
    await this.#make(changed('delete everything', this.#state, gone), 'none', 0);
    await this.#settle('the deletion of everything');
    for (let edition = 0; edition < EDITIONS; edition++) {
      const specs = shuffled(fileOf(this.#options.file, this.#names.namespaces, edition), this.#random);
      const before = this.#wrongSoFar;
      await this.#make(changed(`apply edition ${edition} of ${specs.length} policies`, this.#state, specs), 'none', 0);
      await this.#settle(`edition ${edition}`);
      this.#options.say(`edition ${edition} of ${specs.length} policies: ${this.#wrongSoFar - before} wrong verdicts`);
    }
    await this.#enoughVerdicts();
  }

  /** Waits for clients that a busy machine has slowed down, until there are enough verdicts. */
  async #enoughVerdicts(): Promise<void> {
    const enough = () => (this.#clients?.counts.bound ?? 0) > ENOUGH_VERDICTS;
    await waitFor(`more than ${ENOUGH_VERDICTS} verdicts`, enough, { timeoutMs: SETTLED_MS, intervalMs: 100 });
  }

  get #wrongSoFar(): number {
    return this.#clients?.wrong.length ?? 0;
  }

  async #make(change: Change, kill: Kill, writes: number): Promise<void> {
    const { title, next, policies, namespaces } = change;
    const before = this.#state;
    const wrong = this.#wrongSoFar;
    const interrupted = this.#interruption(kill, writes);
    this.#timeline.begin(`${title} (${kill})`, next);
    this.#state = next;
    const crash = kill === 'API server' ? this.#crash() : undefined;
    for (const [name, labels] of namespaces) await this.#retried(() => this.#label(name, labels));
    await this.#writeTogether(change, before);
    if (namespaces.size > 0 || [...policies.values()].includes(undefined)) {
      this.#labelsFollow = true;
      await this.#retried(() => this.#write(MARKER, markerOf(this.#changes)));
    }
    await crash;
    await interrupted;
    this.#changes++;
    this.#kills[kill]++;
    this.#options.say(`${this.#changes} ${title} (${kill} ${writes}), ${this.#wrongSoFar - wrong} wrong meanwhile`);
  }

  /**
   * Applies the policies of a change, like a client that applies one file. If the client pauses, the policies written
   * before the pause count as a separate state.
   */
  async #writeTogether({ title, policies, next }: Change, before: State): Promise<void> {
    const written: [string, CapabilityPolicySpec | undefined][] = [];
    let last = Date.now();
    // Several policies are applied at the same time. Applying the policies in parallel makes pauses rarer even on a
    // busy machine.
    await concurrently([...policies], async ([name, spec]) => {
      await this.#retried(() => this.#write(name, spec));
      if (written.length > 0 && Date.now() - last > PAUSE_MS) {
        this.#options.say(`a pause of ${Date.now() - last} ms`);
        this.#timeline.begin(`${title}: the first ${written.length}`, changed(title, before, written).next);
        this.#timeline.begin(title, next);
      }
      last = Date.now();
      written.push([name, spec]);
    });
  }

  /** Kills the operator before or after one of its next writes, and then starts the operator again. */
  async #interruption(kill: Kill, writes: number): Promise<void> {
    if (kill !== 'before a write' && kill !== 'after a write') return;
    const moment = kill === 'before a write' ? 'before' : 'after';
    await this.#proxy?.interrupt(writes, moment, WRITE_MS);
    await this.#operator?.stop('SIGKILL');
    this.#proxy?.resume();
    await this.#startOperator();
  }

  async #startOperator(): Promise<void> {
    const kubeconfig = this.#proxy?.kubeconfig(this.#controlPlane.kubeconfig) ?? '';
    const flags = ['--kubeconfig', kubeconfig, '--operator-namespace', OPERATOR_NAMESPACE];
    this.#operator = new OperatorProcess(flags, NODE_FLAGS);
    await this.#operator.startAndWatch();
  }

  async #crash(): Promise<void> {
    await sleep(this.#random.int(1_500));
    this.#isReady = false;
    await this.#controlPlane.restartApiServer(0, 'SIGKILL');
    this.#isReady = true;
  }

  /** Waits until all policies have the condition Programmed. */
  async #settle(what: string): Promise<void> {
    const wanted = [...this.#state.policies.keys()];
    let missing: readonly string[] = [];
    const look = async () => {
      if (!this.#operator?.running) await this.#startOperator();
      const all: Json[] | undefined = await this.#api.list(POLICIES).catch(() => undefined);
      if (!all) return false;
      const found = new Map(all.map((policy) => [policy.metadata.name, policy]));
      const awaited = [...wanted, ...(found.has(MARKER) ? [MARKER] : [])];
      missing = awaited
        .filter((name) => !isProgrammed(found.get(name) ?? { metadata: {} }))
        .map((name) => `${name}: ${conditionOf(found.get(name) ?? {}, 'Accepted')?.message}`);
      return missing.length === 0;
    };
    await waitFor(`${what} to be programmed`, look, { timeoutMs: SETTLED_MS, intervalMs: 100 }).catch(
      (error: Error) => {
        throw new Error(
          `seed ${this.#options.seed}, ${error.message}: ${missing.length} are not\n${missing.slice(0, 5).join('\n')}\n${this.#operator?.logEnd(10)}`,
        );
      },
    );
    if (this.#labelsFollow) await sleep(LABELS_MS);
    this.#labelsFollow = false;
    this.#timeline.settle();
  }

  async #write(name: string, spec: CapabilityPolicySpec | undefined): Promise<void> {
    const path = `${POLICIES}/${name}`;
    if (!spec) return this.#api.remove(path);
    await this.#api.apply(path, policyManifest({ name }, spec));
  }

  /** Applies the labels of a namespace. Omitted labels are removed. */
  async #label(name: string, labels: Readonly<Record<string, string>>): Promise<void> {
    await this.#api.apply(`${NAMESPACES}/${name}`, { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
  }

  /** Repeats a write until it succeeds. While an API server is down or is starting, the API server does not answer. */
  async #retried(write: () => Promise<void>): Promise<void> {
    await waitFor(
      'the API server to answer a write',
      () =>
        write().then(
          () => true,
          (error: Error) => {
            if (/: (400|422) /.test(error.message)) throw error;
            return false;
          },
        ),
      { timeoutMs: SETTLED_MS, intervalMs: 50 },
    );
  }

  async #createNamespace(name: string): Promise<void> {
    const labels = randomLabels(this.#random);
    await createNamespace(this.#api, name, labels);
    for (const account of ACCOUNTS) {
      const path = `${NAMESPACES}/${name}/serviceaccounts/${account}`;
      await this.#api.apply(path, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: account } });
    }
    this.#state = { ...this.#state, namespaces: new Map([...this.#state.namespaces, [name, labels]]) };
  }

  async #grant({ policy, namespace, subject }: Grant): Promise<void> {
    const group = 'rbac.authorization.k8s.io';
    await this.#api.apply(`/apis/${group}/v1/namespaces/${namespace}/rolebindings/${policy}`, {
      apiVersion: `${group}/v1`,
      kind: 'RoleBinding',
      metadata: { name: policy },
      roleRef: { apiGroup: group, kind: 'ClusterRole', name: `capabilitypolicy.dev:use:${policy}` },
      subjects: [subject],
    });
  }
}

const REFUSING: CapabilityPolicySpec = { namespaceSelector: {}, level: 'restricted', mode: 'Enforce' };

/** The spec of the marker policy. An edit changes only the priority. The priority affects no verdict. */
function markerOf(edit: number): CapabilityPolicySpec {
  return {
    namespaceSelector: { matchLabels: { [NAME_LABEL]: 'changes-no-such-namespace' } },
    level: 'restricted',
    mode: 'Enforce',
    priority: edit + 1,
  };
}

/**
 * The policies of a file. Some pods comply with both editions of an exception, but violate the policy for all
 * namespaces. During the change, the API server must not refuse a pod that both editions admit.
 */
function fileOf(
  size: number,
  namespaces: readonly string[],
  edition: number,
): (readonly [string, CapabilityPolicySpec])[] {
  const all: CapabilityPolicySpec = {
    namespaceSelector: {},
    level: edition % 2 === 0 ? 'baseline' : 'restricted',
    mode: 'Enforce',
  };
  const exceptions = Array.from({ length: size - 1 }, (_, i) => {
    // Most exceptions are for namespaces in which no client creates pods.
    const namespace = namespaces[i] ?? `changes-other-${i}`;
    const allowedAdd: ('NET_RAW' | 'SYS_TIME')[] = edition % 2 === 0 ? ['NET_RAW'] : ['NET_RAW', 'SYS_TIME'];
    const spec: CapabilityPolicySpec = {
      namespaceSelector: { matchLabels: { [NAME_LABEL]: namespace } },
      level: 'baseline',
      mode: 'Enforce',
      priority: i % 2 === 0 ? 0 : 10,
      overrides: { capabilities: { allowedAdd } },
    };
    return [`exception-${i}`, spec] as const;
  });
  return [['everywhere', all], ...exceptions];
}

function shuffled<T>(values: readonly T[], random: Random): T[] {
  const left = [...values];
  return values.map(() => left.splice(random.int(left.length), 1)[0] as T);
}
