/**
 * (j) What requests pay under many policies of one namespace each: a pod in a namespace that a policy selects, a pod in one
 * that none selects, and updates of a namespace. Beside it as many admission policies that say `true`, the least that any
 * can cost.
 */
import { type CapabilityPolicySpec, NAME_LABEL } from '../../operator/api/capability-policy.ts';
import { completePolicy } from '../../operator/api/defaults.ts';
import { newPolicy } from '../../operator/api/model.ts';
import { type ApiClient, type Identified, pathFor, pathOf } from '../../operator/cluster/client.ts';
import { compile } from '../../operator/compile/compile.ts';
import { NAMESPACES, PODS } from '../../operator/compile/match.ts';
import { objectsOfProgram } from '../../operator/compile/program.ts';
import { inParallel } from '../../operator/runtime/in-parallel.ts';
import { SERVER_MINOR } from '../controlplane/version.ts';
import { waitFor } from '../controlplane/wait.ts';
import { connect, createNamespace, pidsOf, startBenchCluster } from './bench-cluster.ts';
import { bindByHand, writeByHand } from './by-hand.ts';
import { usageOf } from './measured-process.ts';
import { type Spread, shown, spreadOf } from './numbers.ts';
import { createPod } from './pods.ts';
import type { Table } from './table.ts';

type Objects = readonly Identified[];
export type Rules = Omit<CapabilityPolicySpec, 'namespaceSelector'>;
/** Makes the objects for policies that each select one of these namespaces. */
type Form = (namespaces: readonly string[]) => Objects;

interface Cost {
  /** In ms. */
  readonly time: Spread;
  /** CPU of the API server for one request, in ms. */
  readonly cpu: number;
}

interface Measured {
  readonly policies: number;
  readonly form: string;
  /** By request. */
  readonly costs: Readonly<Record<string, Cost>>;
}

const WARM_UP = 30;
const ROUNDS = 200;
const WRITES_AT_ONCE = 16;
/** An admission policy that refuses all pods in the namespace of its name. */
const SENTINEL = 'sentinel';
const LOOK = { timeoutMs: 600_000, intervalMs: 500 };
const ADMISSION = 'admissionregistration.k8s.io/v1';
const [SELECTED, NOT_SELECTED] = ['tenant-0', 'outside'];
/** May update namespaces, and is not exempt from the guard. */
export const EDITOR = { user: 'editor', group: 'editors' };

const FORMS: Readonly<Record<string, Form>> = { ours, 'say true': sayingTrue };

const REQUESTS: Readonly<Record<string, (client: ApiClient, round: number) => Promise<unknown>>> = {
  'pod, selected': (client) => createPod(client, SELECTED),
  'pod, not selected': (client) => createPod(client, NOT_SELECTED),
  'namespace, annotation': (client, round) => change(client, { annotations: { note: String(round) } }),
  'namespace, label': (client, round) => change(client, { labels: { note: `round-${round}` } }),
  'namespace, guarded label': (client) =>
    change(client, { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } }),
};

/** @param sizes how many policies there are in turn */
export async function requests(sizes: readonly number[], forms = FORMS): Promise<Table> {
  const cluster = await startBenchCluster();
  const editor = connect(cluster.controlPlane.kubeconfigFor(EDITOR.user, [EDITOR.group]));
  const apiServer = pidsOf(cluster.controlPlane, 'kube-apiserver')[0] ?? 0;
  const measured: Measured[] = [];
  try {
    await allowEditors(cluster.client);
    const namespaces = Array.from({ length: Math.max(...sizes) }, (_, index) => `tenant-${index}`);
    for (const namespace of [...namespaces, NOT_SELECTED, SENTINEL]) await createNamespace(cluster.client, namespace);
    for (const policies of sizes) {
      for (const [form, render] of Object.entries(forms)) {
        const objects = render(namespaces.slice(0, policies));
        const costs = await during(cluster.client, objects, () => measure(editor, apiServer));
        measured.push({ policies, form, costs });
      }
    }
  } finally {
    await editor.close();
    await cluster.stop();
  }
  return describe(measured);
}

function describe(measured: readonly Measured[]): Table {
  const [first] = measured;
  const base = (form: string) => measured.find((one) => one.form === form) ?? first;
  return {
    title: `(j) Requests under many policies, p50 / CPU of the API server in ms, and what is added to ${first?.policies} policy`,
    columns: ['policies', 'form', ...Object.keys(REQUESTS)],
    rows: measured.map(({ policies, form, costs }) => [
      String(policies),
      form,
      ...Object.entries(costs).map(([request, { time, cpu }]) => {
        const one = base(form)?.costs[request] ?? { time, cpu };
        return `${shown(time.p50)} / ${shown(cpu)} (${added(time.p50, one.time.p50)} / ${added(cpu, one.cpu)})`;
      }),
    ]),
    notes: [
      `Dry runs, one after the other, ${ROUNDS} of each, by somebody who is not exempt. Say true: as many admission`,
      'policies with the same selectors, for pods and namespaces, whose only validation says `true`.',
    ],
    measured,
  };
}

function added(value: number, to: number): string {
  return `${value < to ? '−' : '+'}${shown(Math.abs(value - to))}`;
}

function ours(namespaces: readonly string[]): Objects {
  return renderedFor(namespaces.map((namespace) => [namespace, { level: 'restricted', mode: 'Enforce' }]));
}

/** The objects that the operator renders for a policy of each of these namespaces; they do without an operator. */
export function renderedFor(specs: readonly (readonly [namespace: string, spec: Rules])[]): Objects {
  const policies = specs.map(([namespace, spec], index) => {
    const namespaceSelector = { matchLabels: { [NAME_LABEL]: namespace } };
    return completePolicy(newPolicy(`policy-${index}`, { namespaceSelector, ...spec }));
  });
  const options = { oldestServer: SERVER_MINOR, operatorNamespace: 'operator', excludedNamespaces: ['kube-system'] };
  const { programs, refusals } = compile(policies, options);
  for (const [name, { message }] of refusals) throw new Error(`${name}: ${message}`);
  // Offline, nothing owns them.
  return programs.flatMap(objectsOfProgram);
}

function sayingTrue(namespaces: readonly string[]): Objects {
  return namespaces.flatMap((namespace) => {
    const name = `true-${namespace}`;
    const namespaceSelector = { matchLabels: { [NAME_LABEL]: namespace } };
    const matchConstraints = { namespaceSelector, resourceRules: [...PODS, ...NAMESPACES] };
    const object = (kind: string, spec: object) => ({ apiVersion: ADMISSION, kind, metadata: { name }, spec });
    return [
      object('ValidatingAdmissionPolicy', { matchConstraints, validations: [{ expression: 'true' }] }),
      object('ValidatingAdmissionPolicyBinding', { policyName: name, validationActions: ['Deny'] }),
    ];
  });
}

/**
 * The sentinel is written last and removed last, and API servers load admission policies together: what it answers holds for
 * all others.
 */
export async function during<Result>(
  client: ApiClient,
  objects: Objects,
  work: () => Promise<Result>,
): Promise<Result> {
  const refuses = async () =>
    createPod(client, SENTINEL).then(
      () => false,
      () => true,
    );
  await inParallel(objects, WRITES_AT_ONCE, async (object) => void (await client.apply(object, { force: true })));
  await writeByHand(client, SENTINEL, 'false');
  await bindByHand(client, SENTINEL, { [NAME_LABEL]: SENTINEL });
  await waitFor('the admission policies', refuses, LOOK);
  const result = await work();
  await inParallel(objects, WRITES_AT_ONCE, (object) => client.remove(pathOf(object)));
  for (const kind of ['ValidatingAdmissionPolicyBinding', 'ValidatingAdmissionPolicy']) {
    await client.remove(pathFor(ADMISSION, kind, undefined, SENTINEL));
  }
  await waitFor('the admission policies to go', async () => !(await refuses()), LOOK);
  return result;
}

async function measure(client: ApiClient, apiServer: number): Promise<Measured['costs']> {
  const costs: Record<string, Cost> = {};
  for (const [request, send] of Object.entries(REQUESTS)) {
    for (let round = 0; round < WARM_UP; round++) await send(client, round);
    const times: number[] = [];
    const before = usageOf(apiServer)?.cpuSeconds ?? Number.NaN;
    for (let round = WARM_UP; round < WARM_UP + ROUNDS; round++) {
      const started = performance.now();
      await send(client, round);
      times.push(performance.now() - started);
    }
    const cpuSeconds = (usageOf(apiServer)?.cpuSeconds ?? Number.NaN) - before;
    costs[request] = { time: spreadOf(times), cpu: (1_000 * cpuSeconds) / ROUNDS };
  }
  return costs;
}

async function change(client: ApiClient, metadata: object): Promise<unknown> {
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: SELECTED, ...metadata } };
  return client.apply(namespace, { dryRun: true, force: true });
}

export async function allowEditors(client: ApiClient): Promise<void> {
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
