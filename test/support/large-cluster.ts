/**
 * Makes a very large cluster in memory. By default, the cluster has 100,000 pods in 5,000 namespaces under 300
 * policies. Pods with the same shape share their frozen content, as in the projection. The cluster is therefore built
 * in less than a second, and each shape is evaluated only once.
 */
import { frozen } from '../../operator/model/frozen.ts';
import type {
  Cluster,
  Container,
  NamespaceView,
  Owner,
  PodContent,
  PodView,
  WorkloadView,
} from '../../operator/model/objects.ts';
import { type WorkloadKind, workloadKind } from '../../operator/model/workload-kinds.ts';
import { type LargePolicies, labelsOf, largePolicies } from './large-policies.ts';
import { SERVER } from './views.ts';

export interface LargeSizes {
  readonly pods: number;
  readonly namespaces: number;
  /**
   * The number of different pods. The number of different templates equals the number of different pods. A template
   * differs from its pods, because admission adds the token's volume only to pods.
   */
  readonly shapes: number;
  readonly policies: number;
}

export const LARGE: LargeSizes = { pods: 100_000, namespaces: 5_000, shapes: 60, policies: 300 };

const PODS_OF_WORKLOAD = 4;

export function largeCluster(sizes: Partial<LargeSizes> = {}): Cluster {
  const { pods, namespaces: count, shapes: distinct, policies: wanted } = { ...LARGE, ...sizes };
  const { policies, roles, roleBindings, pending } = largePolicies(wanted);
  const shapes = Array.from({ length: distinct }, (_, index) => shapeOf(index));
  const namespaces = Array.from({ length: count }, (_, index) => namespaceView(index, pending));
  const contents = new Map<string, Content>();
  for (const [index, { name }] of namespaces.entries()) {
    const [first, end] = [index, index + 1].map((one) => Math.floor((one * pods) / count)) as [number, number];
    contents.set(name, contentOf(name, { first, end }, shapes));
  }
  const byName = new Map(policies.map((policy) => [policy.metadata?.name ?? '', policy]));
  const namespacesByName = new Map(namespaces.map((namespace) => [namespace.name, namespace]));
  return {
    policies: () => policies,
    policy: (name) => byName.get(name),
    namespaces: () => namespaces,
    namespace: (name) => namespacesByName.get(name),
    pods: (namespace) => contents.get(namespace)?.pods ?? [],
    workloads: (namespace) => contents.get(namespace)?.workloads ?? [],
    workload: (namespace, kind, name) => contents.get(namespace)?.byName.get(`${kind}/${name}`),
    roles: () => roles,
    roleBindings: () => roleBindings,
    rendered: () => [],
    oldestServer: SERVER,
  };
}

function namespaceView(index: number, pending: LargePolicies['pending']): NamespaceView {
  const { name, ...labels } = labelsOf(index);
  return {
    name,
    uid: uidOf('n', index),
    terminating: false,
    labels: { 'kubernetes.io/metadata.name': name, ...labels, ...pending(index) },
    labelOwners: {},
  };
}

interface Content {
  readonly workloads: readonly WorkloadView[];
  readonly byName: ReadonlyMap<string, WorkloadView>;
  readonly pods: readonly PodView[];
}

interface Shape {
  readonly application: string;
  readonly template: PodContent;
  readonly pod: PodContent;
}

function contentOf(
  namespace: string,
  { first, end }: { readonly first: number; readonly end: number },
  shapes: readonly Shape[],
): Content {
  const workloads: WorkloadView[] = [];
  const pods: PodView[] = [];
  for (let from = first; from < end; from += PODS_OF_WORKLOAD) {
    const workload = Math.floor(from / PODS_OF_WORKLOAD);
    const shape = shapes[workload % shapes.length] as Shape;
    const made = chainOf(namespace, { workload, shape });
    workloads.push(...made.workloads);
    for (let pod = from; pod < Math.min(from + PODS_OF_WORKLOAD, end); pod++) {
      const { owner } = made;
      const name = `${owner?.name ?? shape.application}-${owner?.kind === 'StatefulSet' ? pod - from : suffix(pod)}`;
      pods.push({
        namespace,
        name,
        uid: uidOf('p', pod),
        ...(owner && { owner }),
        serviceAccount: shape.pod.spec.serviceAccountName ?? 'default',
        mirror: false,
        finished: false,
        ...shape.pod,
      });
    }
  }
  const byName = new Map(workloads.map((workload) => [`${workload.kind}/${workload.name}`, workload]));
  return { workloads, byName, pods };
}

interface Chain {
  readonly workloads: readonly WorkloadView[];
  /** The owner of the pods. */
  readonly owner?: Owner;
}

/** The owners of pods in the form that controllers make. Most pods belong to a Deployment. */
const CHAINS: readonly (readonly (WorkloadKind | 'Rollout')[])[] = [
  ['Deployment', 'ReplicaSet'],
  ['StatefulSet'],
  ['Deployment', 'ReplicaSet'],
  ['DaemonSet'],
  ['Deployment', 'ReplicaSet'],
  ['CronJob', 'Job'],
  ['Deployment', 'ReplicaSet'],
  ['Rollout', 'ReplicaSet'],
  ['Deployment', 'ReplicaSet'],
  [],
];

interface Placed {
  readonly workload: number;
  readonly shape: Shape;
}

function chainOf(namespace: string, { workload, shape }: Placed): Chain {
  // The factor 7 is a prime, so each shape occurs under each kind of owner.
  const kinds = CHAINS[(workload * 7 + Math.floor(workload / 60)) % CHAINS.length] ?? [];
  const workloads: WorkloadView[] = [];
  let owner: Owner | undefined;
  for (const kind of kinds) {
    const name = owner ? `${owner.name}-${hash(workload)}` : shape.application;
    const uid = uidOf(kind, workload);
    if (kind !== 'Rollout') {
      const replicas =
        kind === 'DaemonSet' || kind === 'Job' || kind === 'CronJob' ? {} : { replicas: PODS_OF_WORKLOAD };
      const identity = { kind, namespace, name, uid, ...(owner && { owner }), ...replicas };
      workloads.push({ ...identity, finished: false, template: shape.template });
    }
    owner = { apiVersion: workloadKind(kind)?.apiVersion ?? 'argoproj.io/v1alpha1', kind, name, uid };
  }
  return { workloads, ...(owner && { owner }) };
}

const DROP_ALL = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };

/**
 * Security contexts from hardened to unlimited. The container of an application and its sidecar have different security
 * contexts.
 */
const CONTEXTS: readonly object[] = [
  DROP_ALL,
  { ...DROP_ALL, readOnlyRootFilesystem: true },
  {},
  { ...DROP_ALL, capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] } },
  { runAsUser: 0 },
  { capabilities: { drop: ['NET_RAW'] } },
  DROP_ALL,
  { capabilities: { add: ['NET_ADMIN', 'NET_RAW'], drop: ['ALL'] } },
  { capabilities: { add: ['SYS_PTRACE'] } },
  { privileged: true },
  { ...DROP_ALL, capabilities: { drop: ['ALL'], add: ['CHOWN', 'SETUID', 'SETGID'] } },
];

const APPLICATIONS = ['api', 'billing', 'cart', 'checkout', 'gateway', 'ingest', 'mailer', 'queue', 'search', 'web'];

function shapeOf(index: number): Shape {
  const application = `${APPLICATIONS[index % APPLICATIONS.length]}-${Math.floor(index / APPLICATIONS.length)}`;
  const main = containerOf(application, index, CONTEXTS[index % CONTEXTS.length]);
  const containers = index % 3 === 0 ? [main, containerOf('proxy', index, CONTEXTS[index % 4])] : [main];
  const isNonRoot = index % 11 < 2;
  const spec = {
    containers,
    ...(index % 5 === 0 && { initContainers: [containerOf('migrate', index, DROP_ALL)] }),
    ...(isNonRoot && { securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } } }),
    ...(index % 20 === 9 && { hostNetwork: true }),
    ...(index % 4 === 1 && { serviceAccountName: application }),
    ...(index % 7 === 3 && { hostUsers: false }),
  };
  const volumes = [
    { name: 'cache', emptyDir: {} },
    ...(index % 15 === 8 ? [{ name: 'logs', hostPath: { path: '/var/log' } }] : []),
  ];
  const token = { name: 'kube-api-access', projected: { sources: [{ serviceAccountToken: {} }] } };
  return frozen({
    application,
    template: { annotations: {}, spec: { ...spec, volumes } },
    pod: { annotations: {}, spec: { ...spec, volumes: [...volumes, token] } },
  });
}

function containerOf(name: string, index: number, securityContext: object | undefined): Container {
  return { name, image: `registry.example.com/shop/${name}:1.${index}.0`, securityContext };
}

function uidOf(kind: string, index: number): string {
  return `${kind}-3c1c-4c5e-9f53-${String(index).padStart(12, '0')}`;
}

/** The hash of a template. Controllers append the hash to names. */
function hash(index: number): string {
  return ((index + 1) * 2_654_435_761).toString(36).slice(-9);
}

function suffix(index: number): string {
  return ((index + 1) * 40_503_179).toString(36).slice(-5);
}
