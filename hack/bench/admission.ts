/**
 * Part (e) of the bench measures what a pod costs kube-apiserver: the CPU time for the creation of a pod below several
 * sets of policies, beside a namespace without policies and a namespace with a label of Pod Security Admission.
 */
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import type { ApiClient } from '../../operator/cluster/client.ts';
import { createNamespace, startBenchCluster } from './bench-cluster.ts';
import { shown, spreadOf } from './numbers.ts';
import { startOperator } from './operator-under-test.ts';
import { createPod, USER } from './pods.ts';
import { allProgrammed, applyPolicy } from './policies.ts';
import { ServerUsage } from './server-usage.ts';
import type { Table } from './table.ts';
import { type NamedSpec, TOPOLOGIES } from './topology-policies.ts';

interface Setting {
  readonly title: string;
  readonly policies: readonly NamedSpec[];
}

interface Measured {
  readonly title: string;
  readonly containers: number;
  /** CPU of kube-apiserver for one pod in each namespace, in ms: the median of all rounds. */
  readonly cpuMs: Readonly<Record<keyof typeof NAMESPACES, number>>;
}

const CONTAINERS = [3, 20];
const ROUNDS = 7;
const PODS = 300;
const PARALLEL = 8;
const LABEL = 'bench';
/** The labels of each namespace. Each key of the object is the name of a namespace. */
const NAMESPACES = {
  none: {},
  'pod-security': { 'pod-security.kubernetes.io/enforce': 'restricted' },
  ours: { [LABEL]: '' },
};
type NamespaceName = keyof typeof NAMESPACES;
const NAMES = Object.keys(NAMESPACES) as NamespaceName[];

const RESTRICTED = policy('restricted', {});

const SETTINGS: readonly Setting[] = [
  { title: '1 policy', policies: [RESTRICTED] },
  { title: '1 policy and 300 exceptions', policies: [RESTRICTED, ...exceptions(300)] },
  { title: '1 policy and 1,000 exceptions', policies: [RESTRICTED, ...exceptions(1_000)] },
  { title: '14 policies that decide, and the first admits', policies: fourteen((index) => index === 0) },
  { title: '14 policies that decide, and the last admits', policies: fourteen((index) => index === 13) },
  { title: '14 policies that decide, and all admit', policies: fourteen(() => true) },
  {
    title: '1 policy with 4 entries of spec.containers',
    policies: [policy('entries', { containers: [0, 1, 2, 3].map(entry) })],
  },
  { title: '1 policy with defaulting', policies: [policy('defaulting', { defaulting: 'Enabled' })] },
  {
    title: '1 policy with restricted use',
    policies: [policy('restricted-use', { subjects: [{ kind: 'Group', name: 'system:masters' }] })],
  },
];

export async function admission(): Promise<Table> {
  const measured: Measured[] = [];
  for (const setting of SETTINGS) measured.push(...(await measure(setting)));
  return {
    title: '(e) Admission: CPU of kube-apiserver for a pod, in ms',
    columns: ['policies', 'containers', 'none', 'Pod Security', 'ours', 'added by Pod Security', 'added by us'],
    rows: measured.map(({ title, containers, cpuMs }) => [
      title,
      `${containers}`,
      ...NAMES.map((name) => shown(cpuMs[name])),
      shown(cpuMs['pod-security'] - cpuMs.none),
      shown(cpuMs.ours - cpuMs.none),
    ]),
    notes: [
      `Each number is the median of ${ROUNDS} rounds. In a round, the bench makes ${PODS} dry runs in each namespace, ${PARALLEL} at a time.`,
      'Nothing else uses the API server meanwhile: the operator has ended, and the controllers stand still.',
      'Exceptions select other namespaces by name. The policies that decide differ in their ranges of user IDs.',
    ],
    measured,
  };
}

async function measure({ title, policies }: Setting): Promise<Measured[]> {
  const cluster = await startBenchCluster();
  const { client, controlPlane } = cluster;
  const servers = new ServerUsage(controlPlane);
  const operator = startOperator(controlPlane.kubeconfig);
  try {
    for (const [name, labels] of Object.entries(NAMESPACES)) await createNamespace(client, name, labels);
    for (const { name, spec } of policies) await applyPolicy(client, name, spec);
    const names = policies.map(({ name }) => name);
    await operator.during(allProgrammed(client, names));
    // The objects of the operator stay in force, and the API server is quiet.
    await operator.stop();
    const measured: Measured[] = [];
    for (const containers of CONTAINERS) {
      const cpuMs = await cpuOfPods(client, servers, containers);
      measured.push({ title, containers, cpuMs });
    }
    return measured;
  } finally {
    await operator.stop();
    await servers.close();
    await cluster.stop();
  }
}

async function cpuOfPods(client: ApiClient, servers: ServerUsage, containers: number): Promise<Measured['cpuMs']> {
  const times = { none: [], 'pod-security': [], ours: [] } as Record<NamespaceName, number[]>;
  const options = { containers };
  // The first round warms up the API server.
  for (let round = -1; round < ROUNDS; round++) {
    for (const name of NAMES) {
      const before = servers.cpuSeconds('kube-apiserver');
      let left = PODS;
      const worker = async () => {
        while (left-- > 0) await createPod(client, name, options);
      };
      await Promise.all(Array.from({ length: PARALLEL }, worker));
      const seconds = servers.cpuSeconds('kube-apiserver') - before;
      if (round >= 0) times[name].push((seconds / PODS) * 1_000);
    }
  }
  const median = (name: NamespaceName) => spreadOf(times[name]).p50;
  return { none: median('none'), 'pod-security': median('pod-security'), ours: median('ours') };
}

/** A policy that selects the measured namespace. */
function policy(name: string, spec: Partial<CapabilityPolicySpec>): NamedSpec {
  const namespaceSelector = { matchLabels: NAMESPACES.ours };
  return { name, spec: { namespaceSelector, level: 'restricted', mode: 'Enforce', podSecurityLabels: 'Off', ...spec } };
}

function exceptions(count: number): readonly NamedSpec[] {
  return TOPOLOGIES.above?.exceptions(count) ?? [];
}

/** Policies that all decide. A policy that does not admit the pod admits another user ID. */
function fourteen(admits: (index: number) => boolean): NamedSpec[] {
  return Array.from({ length: 14 }, (_, i) => {
    const ranges = [admits(i) ? { min: USER, max: USER + i } : { min: i + 1, max: i + 1 }];
    return policy(`policy-${String(i).padStart(2, '0')}`, { overrides: { runAsUser: { rule: 'MustRunAs', ranges } } });
  });
}

/** An entry of `spec.containers` that one of the pod's containers has. */
function entry(index: number) {
  return { names: [`container-${index}`], overrides: { capabilities: { allowedAdd: ['NET_BIND_SERVICE', 'CHOWN'] } } };
}
