/**
 * Part (n) of the bench measures the time until many policies are in force. The part also measures the cost of the
 * policies for the servers, for each pod, and for each update of a namespace. In each topology, one policy is for all
 * namespaces. All other policies are exceptions, or select namespaces by the labels of tiers and teams. The exceptions
 * have the same priority as the policy for all namespaces, or a higher priority. In one topology, the exceptions have
 * selectors by labels. No index of a program speeds up these selectors.
 */
import { type ApiClient, ApiError, type Identified } from '../../operator/cluster/client.ts';
import type { RawObject } from '../../operator/model/raw.ts';
import { waitFor } from '../controlplane/wait.ts';
import { connect, createNamespace, startBenchCluster } from './bench-cluster.ts';
import type { MeasuredProcess } from './measured-process.ts';
import { type Spread, shown, spreadOf } from './numbers.ts';
import { startOperator } from './operator-under-test.ts';
import { createPod } from './pods.ts';
import { applyPolicy, inForceOf, isProgrammed, readPolicy } from './policies.ts';
import { type Memory, ServerUsage } from './server-usage.ts';
import type { Table } from './table.ts';
import {
  type BenchNamespace,
  EDITED,
  EVERYWHERE,
  EXCEPTED,
  edited,
  FREE,
  type NamedSpec,
  type PolicyTopology,
  TEAM,
  TOPOLOGIES,
} from './topology-policies.ts';

export interface ExceptionsOptions {
  readonly sizes: readonly number[];
  /** The number of exceptions in the topology `labels`. */
  readonly labels: number;
  /** The names of the topologies to measure. The default is all topologies. */
  readonly topologies?: readonly string[];
  /** The number of times that each request is sent. */
  readonly rounds: number;
  /**
   * The number of exceptions that are created later. The bench also edits an exception this number of times. The number
   * of changes is odd, so that one measurement is the median. An API server compiles policies only once a second, so
   * the times of single changes differ.
   */
  readonly changes: number;
}

interface Phase {
  /** The time in ms of each kind of request. */
  readonly times: Readonly<Record<string, Spread>>;
  readonly memory: Memory;
}

interface Change {
  readonly refusedSeconds: number;
  readonly programmedSeconds: number;
  readonly operatorCpuSeconds: number;
  readonly apiServerCpuSeconds: number;
  readonly controllersCpuSeconds: number;
}

interface Measured {
  readonly topology: string;
  readonly exceptions: number;
  readonly policies: number;
  /** The number of policies that are Ready at the end. */
  readonly ready: number;
  readonly readySeconds: number;
  readonly operatorCpuSeconds: number;
  readonly operatorRssMiB: number;
  readonly apiServerCpuSeconds: number;
  readonly wrong: number;
  /** The measurements while the policy for all namespaces is the only policy. */
  readonly one: Phase;
  readonly all: Phase;
  readonly more: readonly Change[];
  readonly edits: readonly Change[];
}

const WARM_UP = 30;
/**
 * A namespace that no policy reaches. Pods in this namespace show the cost that every pod has, even without a policy.
 */
const EXCLUDED = 'kube-public';
/** The bench stops waiting if no further policy becomes Ready within this time, in ms. */
const STALLED_MS = 90_000;
const LOOK = { timeoutMs: 120_000, intervalMs: 20 };
/** The time in ms that the bench gives the controllers to notice a change. */
const NOTICE_MS = 1_500;
const NONE_ADMITS = 'SYS_ADMIN';
/** A user who may update namespaces, but does not have the verb `exempt`. */
const EDITOR = { user: 'editor', group: 'editors' };

export async function exceptions(options: ExceptionsOptions): Promise<Table> {
  const measured: Measured[] = [];
  for (const name of options.topologies ?? Object.keys(TOPOLOGIES)) {
    const topology = TOPOLOGIES[name];
    if (!topology) throw new Error(`there is no topology ${name}: write ${Object.keys(TOPOLOGIES).join(', ')}`);
    for (const size of name === 'labels' ? [options.labels] : options.sizes) {
      measured.push(await measure(name, topology, size, options));
    }
  }
  return describe(measured, options);
}

async function measure(
  name: string,
  topology: PolicyTopology,
  count: number,
  { rounds, changes }: ExceptionsOptions,
): Promise<Measured> {
  const cluster = await startBenchCluster({ controllers: true });
  const { client, controlPlane } = cluster;
  const servers = new ServerUsage(controlPlane);
  const editor = connect(controlPlane.kubeconfigFor(EDITOR.user, [EDITOR.group]));
  const operator = startOperator(controlPlane.kubeconfig);
  try {
    await allowEditors(client);
    const namespaces = Array.from({ length: count + changes }, (_, index) => topology.namespace(index));
    for (const one of [FREE, TEAM, ...namespaces]) await createNamespace(client, one.name, one.labels);
    await write(client, EVERYWHERE);
    await operator.during(ready(client, [EVERYWHERE.name]));
    const requests = requestsOf(topology, namespaces[0] ?? FREE);
    const settled = async () => {
      await operator.during(operator.idle());
      await servers.idle();
    };
    await settled();
    const one = await phase(editor, servers, requests, rounds);
    const specs = topology.exceptions(count);
    const before = { operator: operator.usage(), apiServer: servers.cpuSeconds('kube-apiserver') };
    for (const spec of specs) await write(client, spec);
    const names = [EVERYWHERE.name, ...specs.map((spec) => spec.name)];
    const found = await operator.during(ready(client, names));
    const after = operator.usage();
    await settled();
    const apiServerCpuSeconds = servers.cpuSeconds('kube-apiserver') - before.apiServer;
    const wrong = found === names.length ? await wrongVerdicts(editor, namespaces.slice(0, count)) : Number.NaN;
    const all = await phase(editor, servers, requests, rounds);
    // If some policies never become Ready, the bench does not measure further changes, because a changed policy would
    // not become Ready.
    const possible = found === names.length ? changes : 0;
    const further = topology.exceptions(count + possible).slice(specs.length);
    const change = { client, editor, servers, operator, settled };
    const [more, edits]: Change[][] = [[], []];
    for (const [index, spec] of further.entries()) {
      more?.push(await changed(change, spec, namespaces[count + index] ?? FREE, EXCEPTED, true));
    }
    const target = specs.at(-1);
    for (let edit = 1; target && edit <= possible; edit++) {
      edits?.push(await changed(change, edited(target, edit), namespaces[count - 1] ?? FREE, EDITED, edit % 2 === 1));
    }
    return {
      topology: name,
      exceptions: count,
      policies: names.length,
      ready: found,
      readySeconds: after.seconds - before.operator.seconds,
      operatorCpuSeconds: after.cpuSeconds - before.operator.cpuSeconds,
      operatorRssMiB: operator.usage().rssMiB,
      apiServerCpuSeconds,
      wrong,
      one,
      all,
      more: more ?? [],
      edits: edits ?? [],
    };
  } finally {
    await operator.stop();
    await editor.close();
    await servers.close();
    await cluster.stop();
  }
}

/**
 * Waits until all policies are Ready, or until no further policy becomes Ready. @returns the number of Ready policies
 */
async function ready(client: ApiClient, names: readonly string[]): Promise<number> {
  let [most, since] = [-1, Date.now()];
  return waitFor(
    `${names.length} policies to be in force`,
    async () => {
      const found = (await inForceOf(client)).filter((name) => names.includes(name)).length;
      if (found > most) [most, since] = [found, Date.now()];
      return (found === names.length || Date.now() - since > STALLED_MS) && found;
    },
    { timeoutMs: 3_600_000, intervalMs: 250 },
  );
}

type Send = (client: ApiClient, round: number) => Promise<unknown>;

function requestsOf({ teams }: PolicyTopology, excepted: BenchNamespace): Readonly<Record<string, Send>> {
  const pods = (where: string, namespace: string, add: string): Record<string, Send> => ({
    [`pod, ${where}, admitted`]: (client) => createPod(client, namespace, { add: where === 'excepted' ? [add] : [] }),
    [`pod, ${where}, refused`]: (client) => refusedPod(client, namespace),
  });
  return {
    'pod, no policy': (client) => createPod(client, EXCLUDED),
    ...pods('free', FREE.name, EXCEPTED),
    ...pods('excepted', excepted.name, EXCEPTED),
    ...(teams && pods('team', TEAM.name, EXCEPTED)),
    'namespace, annotation': (client, round) => update(client, excepted, { annotations: { note: `round-${round}` } }),
    'namespace, label': (client, round) => update(client, excepted, { labels: { note: `round-${round}` } }),
  };
}

async function update(client: ApiClient, { name }: BenchNamespace, metadata: object): Promise<unknown> {
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, ...metadata } };
  return client.apply(namespace, { dryRun: true, force: true });
}

/**
 * Measures requests. Before the exceptions exist, the API server refuses the pods that an exception admits later. The
 * refusals make no difference to the measured time.
 */
async function phase(
  client: ApiClient,
  servers: ServerUsage,
  requests: Readonly<Record<string, Send>>,
  rounds: number,
): Promise<Phase> {
  const times: Record<string, number[]> = Object.fromEntries(Object.keys(requests).map((request) => [request, []]));
  // The bench sends the kinds of requests in turns, so that other load on the machine affects all kinds equally.
  for (let round = 0; round < WARM_UP + rounds; round++) {
    for (const [request, send] of Object.entries(requests)) {
      const started = performance.now();
      await send(client, round).catch(ignoreRefusal);
      if (round >= WARM_UP) times[request]?.push(performance.now() - started);
    }
  }
  const spreads = Object.entries(times).map(([request, all]) => [request, spreadOf(all)] as const);
  return { times: Object.fromEntries(spreads), memory: await servers.memory() };
}

async function refusedPod(client: ApiClient, namespace: string): Promise<boolean> {
  return admits(client, namespace, NONE_ADMITS);
}

async function admits(client: ApiClient, namespace: string, capability: string): Promise<boolean> {
  return createPod(client, namespace, { add: [capability] }).then(
    () => true,
    (error: unknown) => ignoreRefusal(error) ?? false,
  );
}

function ignoreRefusal(error: unknown): undefined {
  if (error instanceof ApiError && (error.status === 403 || error.status === 422)) return undefined;
  throw error;
}

/** Counts wrong answers of the API server. Each exception must admit only its own capability, in its own namespaces. */
async function wrongVerdicts(client: ApiClient, namespaces: readonly BenchNamespace[]): Promise<number> {
  let wrong = 0;
  const expect = async (namespace: string, capability: string, expected: boolean) => {
    if ((await admits(client, namespace, capability)) !== expected) wrong++;
  };
  await expect(FREE.name, EXCEPTED, false);
  await expect(TEAM.name, EXCEPTED, false);
  for (const { name } of namespaces) {
    await expect(name, EXCEPTED, true);
    await expect(name, NONE_ADMITS, false);
  }
  return wrong;
}

interface Changing {
  readonly client: ApiClient;
  readonly editor: ApiClient;
  readonly servers: ServerUsage;
  readonly operator: MeasuredProcess;
  settled(): Promise<void>;
}

/**
 * Measures a change of a policy.
 *
 * @param capability the capability of a test pod in the namespace. The change is in force when the API server admits or
 * refuses the test pod, as `expected` says
 */
async function changed(
  { client, editor, servers, operator, settled }: Changing,
  spec: NamedSpec,
  { name: namespace }: BenchNamespace,
  capability: string,
  expected: boolean,
): Promise<Change> {
  const cpu = () => ({
    operator: operator.usage().cpuSeconds,
    apiServer: servers.cpuSeconds('kube-apiserver'),
    controllers: servers.cpuSeconds('kube-controller-manager'),
  });
  const before = cpu();
  const started = performance.now();
  const since = () => (performance.now() - started) / 1000;
  await write(client, spec);
  const inForce = waitFor('the change', async () => (await admits(editor, namespace, capability)) === expected, LOOK);
  const programmed = waitFor('the status', async () => isProgrammed(await readPolicy(client, spec.name)), LOOK);
  const times = [inForce.then(since), programmed.then(since)].map((time) => time.catch(() => Number.NaN));
  const [refusedSeconds = Number.NaN, programmedSeconds = Number.NaN] = await operator.during(Promise.all(times));
  await new Promise((resolve) => setTimeout(resolve, NOTICE_MS));
  await settled();
  const after = cpu();
  const idleFrom = performance.now();
  await new Promise((resolve) => setTimeout(resolve, NOTICE_MS));
  const idle = (servers.cpuSeconds('kube-controller-manager') - after.controllers) / (performance.now() - idleFrom);
  const routine = idle * (idleFrom - started);
  return {
    refusedSeconds,
    programmedSeconds,
    operatorCpuSeconds: after.operator - before.operator,
    apiServerCpuSeconds: after.apiServer - before.apiServer,
    controllersCpuSeconds: Math.max(0, after.controllers - before.controllers - routine),
  };
}

async function write(client: ApiClient, { name, spec }: NamedSpec): Promise<RawObject> {
  return applyPolicy(client, name, spec);
}

interface Figure {
  readonly title: string;
  readonly limit: string;
  of(measured: Measured): string;
}

function describe(measured: readonly Measured[], { rounds, changes }: ExceptionsOptions): Table {
  const figures = figuresOf(measured);
  return {
    title: '(n) A policy for all namespaces, and exceptions to it',
    columns: ['', ...measured.map(({ topology, exceptions }) => `${topology} ${exceptions}`), 'limit'],
    rows: figures.map(({ title, limit, of }) => [title, ...measured.map(of), limit]),
    notes: [
      `Pods and namespaces: p50 of ${rounds} dry runs in ms, in turn.`,
      'The brackets show the additional time, compared with a cluster that has only the policy for all namespaces.',
      'Both times are differences from the time of a pod in a namespace that no policy reaches.',
      `Changes: medians of ${changes} changes. Each change begins when the operator and the controllers are idle.`,
      'Memory of kube-apiserver: MiB after a garbage collection.',
      'The brackets show the additional memory, compared with a cluster that has only the policy for all namespaces.',
    ],
    measured,
  };
}

function figuresOf(measured: readonly Measured[]): Figure[] {
  const requests = [...new Set(measured.flatMap(({ all }) => Object.keys(all.times)))];
  const median = (changes: readonly Change[], field: keyof Change) =>
    changes.length === 0 ? '–' : shown(spreadOf(changes.map((change) => change[field])).p50);
  const of = (title: string, limit: string, figure: (one: Measured) => string | number): Figure => ({
    title,
    limit,
    of: (one) => {
      const value = figure(one);
      return typeof value === 'number' ? (Number.isNaN(value) ? '–' : shown(value)) : value;
    },
  });
  const memory = (field: keyof Memory) => (one: Measured) =>
    `${shown(one.all.memory[field])} (${signed(one.all.memory[field] - one.one.memory[field])})`;
  return [
    of('policies Ready', 'all', ({ ready: some, policies }) => `${some} of ${policies}`),
    of('all Ready, s', '15 at 300', (one) => one.readySeconds),
    of('operator CPU, s', '', (one) => one.operatorCpuSeconds),
    of('operator peak RSS, MiB', '230', (one) => one.operatorRssMiB),
    of('kube-apiserver CPU, s', '', (one) => one.apiServerCpuSeconds),
    of('kube-apiserver RSS, MiB', '+100', memory('rssMiB')),
    of('kube-apiserver heap, MiB', '+100', memory('heapMiB')),
    of('wrong verdicts', '0', ({ wrong }) => (Number.isNaN(wrong) ? '–' : String(wrong))),
    ...requests.map((request) => {
      const isPod = request.startsWith('pod, ') && request !== 'pod, no policy';
      return of(request, isPod ? '+1.5' : '', (one) => latency(one, request));
    }),
    of('one more: in force, s', '2', ({ more }) => median(more, 'refusedSeconds')),
    of('one more: Programmed, s', '2', ({ more }) => median(more, 'programmedSeconds')),
    of('one more: operator CPU, s', '0.3', ({ more }) => median(more, 'operatorCpuSeconds')),
    of('edit: in force, s', '1.3', ({ edits }) => median(edits, 'refusedSeconds')),
    of('edit: Programmed, s', '1.8', ({ edits }) => median(edits, 'programmedSeconds')),
    of('edit: operator CPU, s', '0.3', ({ edits }) => median(edits, 'operatorCpuSeconds')),
    of('edit: kube-apiserver CPU, s', '', ({ edits }) => median(edits, 'apiServerCpuSeconds')),
    of('edit: kube-controller-manager CPU, s', '0.1', ({ edits }) => median(edits, 'controllersCpuSeconds')),
  ];
}

function latency({ one, all }: Measured, request: string): string {
  const time = all.times[request]?.p50;
  if (time === undefined) return '–';
  const above = ({ times }: Phase) => (times[request]?.p50 ?? 0) - (times['pod, no policy']?.p50 ?? 0);
  return request === 'pod, no policy' ? shown(time) : `${shown(time)} (${signed(above(all) - above(one))})`;
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${shown(Math.abs(value))}`;
}

async function allowEditors(client: ApiClient): Promise<void> {
  const apiGroup = 'rbac.authorization.k8s.io';
  const named = { apiVersion: `${apiGroup}/v1`, metadata: { name: EDITOR.group } };
  const rules = [
    { apiGroups: [''], resources: ['pods'], verbs: ['create'] },
    { apiGroups: [''], resources: ['namespaces'], verbs: ['patch'] },
  ];
  const roleRef = { apiGroup, kind: 'ClusterRole', name: EDITOR.group };
  const subjects = [{ apiGroup, kind: 'Group', name: EDITOR.group }];
  await client.apply({ ...named, kind: 'ClusterRole', rules } as Identified);
  await client.apply({ ...named, kind: 'ClusterRoleBinding', roleRef, subjects } as Identified);
}
