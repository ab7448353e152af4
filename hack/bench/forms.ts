/**
 * (h) How long the creation of a pod takes under the same policies with and without spec.variables: the form for
 * Kubernetes 1.36 and newer, and the one for older API servers. Both run on one API server, which may be of any version.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CapabilityPolicy, CapabilityPolicySpec, LabelSelector } from '../../operator/api/capability-policy.ts';
import { GROUP, KIND, VERSION } from '../../operator/api/capability-policy.ts';
import { completePolicy } from '../../operator/api/defaults.ts';
import { type ApiClient, ApiError, type Identified } from '../../operator/cluster/client.ts';
import { compile } from '../../operator/compile/compile.ts';
import type { Manifest } from '../../operator/compile/objects.ts';
import { objectsOfProgram } from '../../operator/compile/program.ts';
import { objectsOfGrant } from '../../operator/compile/rbac.ts';
import { kubernetesVersion } from '../controlplane/binaries.ts';
import { waitFor } from '../controlplane/wait.ts';
import { type BenchCluster, connect, createNamespace, startBenchCluster } from './bench-cluster.ts';
import { ratio, type Spread, spreadOf } from './numbers.ts';
import { createPod, USER } from './pods.ts';
import type { Table } from './table.ts';

/** The oldest API server, for the compiler: N of Kubernetes 1.N. */
const FORMS = { variables: 36, without: 35 } as const;
type Form = keyof typeof FORMS;
const PLACES = ['none', 'variables', 'without'] as const;
type Place = (typeof PLACES)[number];
const PODS = ['compliant', 'refused'] as const;
type Pod = (typeof PODS)[number];

interface Setting {
  readonly title: string;
  readonly policies: readonly Omit<CapabilityPolicySpec, 'namespaceSelector'>[];
  /** Each policy has a selector of its own; otherwise they are peers. */
  readonly ownSelectors?: boolean;
}

interface Measured {
  readonly setting: string;
  readonly pod: Pod;
  readonly times: Readonly<Record<Place, Spread>>;
}

const WARM_UP = 20;
const ROUNDS = 150;
/**
 * An API server below 1.36 can crash when it compiles variables while it admits pods, so no pods are created meanwhile.
 */
const COMPILED_MS = 6_000;
const SETTING = 'bench-setting';
const CREATOR = { user: 'creator', group: 'creators' };

const SETTINGS: readonly Setting[] = [
  { title: '1 policy with overrides', policies: [policy(true)] },
  { title: '1 with usableBy Subjects', policies: [policy(true, true)] },
  { title: '2 peers with usableBy Subjects', policies: meeting(2, 'all', true) },
  { title: '5 peers, the last admits', policies: meeting(5, 'last') },
  { title: '5 of own selectors, all admit', policies: meeting(5, 'all'), ownSelectors: true },
  { title: '5 of own selectors, the last admits', policies: meeting(5, 'last'), ownSelectors: true },
];

export async function forms(): Promise<Table> {
  const cluster = await startBenchCluster();
  try {
    const creator = connect(cluster.controlPlane.kubeconfigFor(CREATOR.user, [CREATOR.group]));
    await allowCreators(cluster.client);
    const measured: Measured[] = [];
    for (const [index, setting] of SETTINGS.entries())
      measured.push(...(await measure(cluster, creator, index, setting)));
    await creator.close();
    return describe(measured);
  } finally {
    await cluster.stop();
  }
}

function describe(measured: readonly Measured[]): Table {
  const beside = (one: Spread, other: Spread) => `${ratio(one.p50, other.p50)} / ${ratio(one.p95, other.p95)}`;
  return {
    title: `(h) Admission with and without variables, Kubernetes ${kubernetesVersion()}, p50 / p95`,
    columns: ['policies', 'pod', 'with / no policy', 'without / no policy', 'without / with'],
    rows: measured.map(({ setting, pod, times: { none, variables, without } }) => [
      setting,
      pod,
      beside(variables, none),
      beside(without, none),
      beside(without, variables),
    ]),
    notes: [
      `Dry runs, one after the other, ${ROUNDS} of each pod in each of three namespaces in turn: without a policy, under`,
      'policies that are rendered with variables, and under the same policies rendered without. Somebody without rights on',
      'policies creates them.',
    ],
    measured,
  };
}

async function measure({ client }: BenchCluster, creator: ApiClient, index: number, setting: Setting) {
  const namespaceOf = (place: Place) => `setting-${index}-${place}`;
  for (const place of PLACES) {
    await createNamespace(client, namespaceOf(place), { [SETTING]: `${index}-${place}` });
  }
  for (const form of ['variables', 'without'] as const) {
    const objects = rendered(form, setting, `${index}-${form}`, namespaceOf(form));
    for (const object of objects) await client.apply(object, { force: true });
  }
  await sleep(COMPILED_MS);
  const inForce = async () => {
    const refused = await Promise.all(
      (['variables', 'without'] as const).map(
        async (form) => !(await isAdmitted(creator, namespaceOf(form), 'refused')),
      ),
    );
    return refused.every(Boolean);
  };
  await waitFor('the policies', inForce, { intervalMs: 2_000, timeoutMs: 120_000 });
  const times = new Map<string, number[]>();
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    for (const pod of PODS) {
      for (const turn of PLACES.keys()) {
        const place = PLACES[(turn + Math.abs(round)) % PLACES.length] as Place;
        const started = performance.now();
        const admitted = await isAdmitted(creator, namespaceOf(place), pod);
        const time = performance.now() - started;
        if (admitted !== (pod === 'compliant' || place === 'none')) {
          throw new Error(`${setting.title}: the ${pod} pod is ${admitted ? 'admitted' : 'refused'} in ${place}`);
        }
        if (round >= 0) times.set(pod + place, [...(times.get(pod + place) ?? []), time]);
      }
    }
  }
  const spread = (pod: Pod, place: Place) => spreadOf(times.get(pod + place) ?? []);
  return PODS.map((pod) => ({
    setting: setting.title,
    pod,
    times: { none: spread(pod, 'none'), variables: spread(pod, 'variables'), without: spread(pod, 'without') },
  }));
}

/** The objects that the operator renders, including roles. No operator runs: it would render one form only. */
function rendered(form: Form, { policies, ownSelectors }: Setting, id: string, namespace: string): Identified[] {
  const label: LabelSelector = { matchLabels: { [SETTING]: id } };
  const subjects = [{ kind: 'ServiceAccount', namespace, name: 'default' }];
  const objects = policies.map((spec, i) => ({
    apiVersion: `${GROUP}/${VERSION}`,
    kind: KIND,
    metadata: { name: `policy-${id}-${i}`, uid: `policy-${id}-${i}` },
    spec: {
      ...spec,
      ...(spec.usableBy === 'Subjects' && { subjects }),
      namespaceSelector: ownSelectors
        ? { ...label, matchExpressions: [{ key: `own-${i}`, operator: 'DoesNotExist' }] }
        : label,
    },
  })) as CapabilityPolicy[];
  const options = { oldestServer: FORMS[form], operatorNamespace: 'default', excludedNamespaces: ['kube-system'] };
  const compiled = compile(objects.map(completePolicy), options);
  for (const [name, { message }] of compiled.refusals) throw new Error(`${name}: ${message}`);
  const roles = [...compiled.grants.values()].flatMap(objectsOfGrant);
  // The guard looks at no pods.
  const programs = compiled.programs.filter(({ kind }) => kind !== 'Guard');
  const parts = programs.flatMap(objectsOfProgram);
  return [...roles, ...parts.map((part) => apart(part, id, label))] as unknown as Identified[];
}

/** The programs of all settings and forms stand side by side, so each has a name of its own, and is for its namespace only. */
function apart({ metadata, spec, ...rest }: Manifest, id: string, namespaceSelector: LabelSelector): object {
  const { policyName, matchResources, ...other } = spec as Readonly<Record<string, object | undefined>>;
  const bound = {
    policyName: `${policyName}-${id}`,
    matchResources: { ...matchResources, namespaceSelector },
  };
  return {
    ...rest,
    metadata: { ...metadata, name: `${metadata.name}-${id}` },
    spec: { ...other, ...(policyName && bound) },
  };
}

async function isAdmitted(client: ApiClient, namespace: string, pod: Pod): Promise<boolean> {
  try {
    await createPod(client, namespace, pod === 'compliant' ? ['NET_RAW'] : ['SYS_TIME']);
    return true;
  } catch (error) {
    if (error instanceof ApiError && (error.status === 403 || error.status === 422)) return false;
    throw error;
  }
}

async function allowCreators(client: ApiClient): Promise<void> {
  const apiGroup = 'rbac.authorization.k8s.io';
  await client.apply({
    apiVersion: `${apiGroup}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name: 'creators' },
    roleRef: { apiGroup, kind: 'ClusterRole', name: 'edit' },
    subjects: [{ apiGroup, kind: 'Group', name: CREATOR.group }],
  } as Identified);
}

/** @param admitting which of them admit the compliant pod; all are different, so that each is judged separately */
function meeting(count: number, admitting: 'all' | 'last', subjects = false) {
  return Array.from({ length: count }, (_, i) => policy(admitting === 'all' || i === count - 1, subjects, i));
}

function policy(admits: boolean, subjects = false, index = 0): Omit<CapabilityPolicySpec, 'namespaceSelector'> {
  const range = admits ? { min: USER, max: USER + index } : { min: index + 1, max: index + 1 };
  return {
    level: 'restricted',
    levelVersion: 'v1.30',
    mode: 'Enforce',
    overrides: {
      capabilities: { allowedAdd: ['NET_BIND_SERVICE', 'NET_RAW'] },
      runAsUser: { rule: 'MustRunAs', ranges: [range] },
    },
    ...(subjects && { usableBy: 'Subjects' as const }),
  };
}
