/** (e) How long the creation of a pod takes: with no policy, with Pod Security Admission, and with ours. */
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import type { ApiClient } from '../../operator/cluster/client.ts';
import { createNamespace, startBenchCluster } from './bench-cluster.ts';
import { growth, ratio, type Spread, shown, spreadOf } from './numbers.ts';
import { startOperator } from './operator-under-test.ts';
import { allProgrammed, applyPolicy } from './policies.ts';
import type { Table } from './table.ts';

interface Setting {
  readonly title: string;
  /** How many decide, and which of them admits. */
  readonly overlap?: number;
  readonly admitting?: 'first' | 'last';
  readonly policies: readonly CapabilityPolicySpec[];
}

interface Measured extends Setting {
  readonly none: Spread;
  readonly podSecurity: Spread;
  readonly ours: Spread;
}

const WARM_UP = 30;
const PODS = 200;
const LABEL = 'bench';
/** Beside the namespace that policies select: one without anything, one that Pod Security Admission judges. */
const NAMESPACES = {
  none: {},
  podSecurity: { 'pod-security.kubernetes.io/enforce': 'restricted' },
  ours: { [LABEL]: '0' },
};

/** By its user a pod satisfies exactly one of the policies. */
const USER = 10_000;

const SETTINGS: readonly Setting[] = [
  { title: '1 policy', policies: overlapping(1, 0) },
  ...([5, 14] as const).map((overlap) => ({
    title: `${overlap} overlapping`,
    overlap,
    admitting: 'first' as const,
    policies: overlapping(overlap, 0),
  })),
  ...([5, 14] as const).map((overlap) => ({
    title: `${overlap} overlapping, only the last admits`,
    overlap,
    admitting: 'last' as const,
    policies: overlapping(overlap, overlap - 1),
  })),
  { title: '100 disjoint', policies: disjoint(100) },
];

export async function admission(): Promise<Table> {
  const measured: Measured[] = [];
  for (const setting of SETTINGS) measured.push(await measure(setting));
  return {
    title: '(e) Admission: creating a pod, p50 / p99 in ms',
    columns: ['policies', 'none', 'Pod Security', 'ours', 'ours / Pod Security', 'added to none'],
    rows: measured.map(({ title, none, podSecurity, ours }) => [
      title,
      both(none),
      both(podSecurity),
      both(ours),
      ratio(ours.p50, podSecurity.p50),
      shown(ours.p50 - none.p50, 'ms'),
    ]),
    notes: [
      `Dry runs, one after the other, ${PODS} in each of three namespaces by turns on one API server. Overlapping: each`,
      'policy decides, and the pod satisfies one of them: the first, or the last by name, before which every other one is',
      'judged, in the admission policy of each. Disjoint: 99 of the policies select other namespaces.',
      ...added(measured, 'first'),
      ...added(measured, 'last'),
    ],
    measured,
  };
}

async function measure(setting: Setting): Promise<Measured> {
  const { policies } = setting;
  const cluster = await startBenchCluster();
  const { client, controlPlane } = cluster;
  const operator = startOperator(controlPlane.kubeconfig);
  try {
    for (const [name, labels] of Object.entries(NAMESPACES)) await createNamespace(client, name.toLowerCase(), labels);
    const names = policies.map((_, index) => `policy-${String(index).padStart(3, '0')}`);
    for (const [index, name] of names.entries()) await applyPolicy(client, name, policies[index] ?? {});
    await operator.during(allProgrammed(client, names));
    const times = { none: [] as number[], podSecurity: [] as number[], ours: [] as number[] };
    for (let round = -WARM_UP; round < PODS; round++) {
      for (const [name, list] of Object.entries(times)) {
        const time = await createPod(client, name.toLowerCase());
        if (round >= 0) list.push(time);
      }
    }
    const { none, podSecurity, ours } = times;
    return { ...setting, none: spreadOf(none), podSecurity: spreadOf(podSecurity), ours: spreadOf(ours) };
  } finally {
    await operator.stop();
    await cluster.stop();
  }
}

/** @returns milliseconds */
async function createPod(client: ApiClient, namespace: string): Promise<number> {
  const securityContext = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { generateName: 'pod-', namespace },
    spec: {
      securityContext: { runAsNonRoot: true, runAsUser: USER, seccompProfile: { type: 'RuntimeDefault' } },
      containers: ['app', 'proxy'].map((name) => ({ name, image: name, securityContext })),
    },
  };
  const started = performance.now();
  await client.create(`/api/v1/namespaces/${namespace}/pods`, pod, { dryRun: true });
  return performance.now() - started;
}

/** @param admitting which of them admits the pod */
function overlapping(count: number, admitting: number): CapabilityPolicySpec[] {
  return Array.from({ length: count }, (_, index) => policy('0', index === admitting ? USER : index + 1));
}

function disjoint(count: number): CapabilityPolicySpec[] {
  return Array.from({ length: count }, (_, index) => policy(String(index), USER));
}

/** Selects the namespaces of a label's value, and admits one user. */
function policy(value: string, user: number): CapabilityPolicySpec {
  return {
    namespaceSelector: { matchLabels: { [LABEL]: value } },
    level: 'restricted',
    mode: 'Enforce',
    overrides: { runAsUser: { rule: 'MustRunAs', ranges: [{ min: user, max: user }] } },
  };
}

/** How what is added to no policy at all grows. */
function added(measured: readonly Measured[], which: Setting['admitting']): string[] {
  const some = measured.filter(({ admitting }) => admitting === which);
  return growth(
    `Where the ${which} admits, what is added grows with the number of overlapping policies`,
    some.map(({ overlap = 0 }) => overlap),
    some.map(({ ours, none }) => ours.p50 - none.p50),
  );
}

function both({ p50, p99 }: Spread): string {
  return `${shown(p50)} / ${shown(p99)}`;
}
