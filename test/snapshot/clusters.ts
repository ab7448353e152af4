/** Random clusters with policies, and with namespaces that have workloads, owner chains and pods of all kinds. */
import fc, { type Arbitrary } from 'fast-check';
import type { CompletePolicy } from '../../operator/api/capability-policy.ts';
import type { Cluster, PodContent, PodView, WorkloadView } from '../../operator/model/objects.ts';
import { baselinePolicy } from '../support/policies.ts';
import { contentOf, randomPods } from '../support/random-pods.ts';
import { binding, clusterOf, ownedBy, podView, useRole, wholeCluster, workloadView } from '../support/views.ts';

const NAMESPACES = ['kube-system', 'net', 'web'];

const POLICY_SPECS: readonly Parameters<typeof baselinePolicy>[1][] = [
  { mode: 'Enforce' },
  { mode: 'Warn', level: 'restricted' },
  { mode: 'Enforce', priority: 5, usableBy: 'Bindings', level: 'privileged' },
  { mode: 'Enforce', namespaceSelector: { matchLabels: { team: 'net' } }, defaulting: 'Enabled', level: 'restricted' },
];

export const arbitraryCluster: Arbitrary<Cluster> = fc
  .record({
    specs: fc.subarray(POLICY_SPECS.map((_, index) => index)),
    shapes: fc.array(randomPods().map(contentOf), { minLength: 1, maxLength: 4 }),
    pods: fc.array(
      fc.record({ shape: fc.nat(), place: fc.nat(), owner: fc.nat(), count: fc.integer({ min: 1, max: 3 }) }),
      {
        maxLength: 8,
      },
    ),
  })
  .map(({ specs, shapes, pods }) => cluster(specs, shapes, pods));

interface Placed {
  readonly shape: number;
  readonly place: number;
  readonly owner: number;
  readonly count: number;
}

function cluster(specs: readonly number[], shapes: readonly PodContent[], placed: readonly Placed[]): Cluster {
  const policies = specs.map((index): CompletePolicy => baselinePolicy(`p-${index}`, POLICY_SPECS[index]));
  const namespaces = NAMESPACES.map((name) => ({
    name,
    uid: `uid-${name}`,
    created: Date.UTC(2026, 0),
    terminating: false,
    labels: { 'kubernetes.io/metadata.name': name, team: name },
    labelOwners: {},
  }));
  const objects = placed.map((one, index) => madeOf(one, index, shapes));
  const workloads = objects.flatMap((made) => made.workloads);
  const pods = objects.flatMap((made) => made.pods);
  return {
    ...wholeCluster(clusterOf(workloads, pods), policies, namespaces),
    // The store does not show old ReplicaSets as workloads. Old ReplicaSets are therefore left out.
    workloads: (namespace) =>
      workloads.filter((one) => one.namespace === namespace && !(one.kind === 'ReplicaSet' && one.replicas === 0)),
    roles: () => [useRole('p-2'), { name: 'other', rules: [] }],
    roleBindings: () => [
      binding('capabilitypolicy.dev:use:p-2', { kind: 'ServiceAccount', namespace: 'net', name: 'default' }, 'net'),
      binding('view', { kind: 'User', name: 'ada' }),
    ],
  };
}

type Made = { workloads: WorkloadView[]; pods: PodView[] };

/** The owners of pods, in the form that controllers make. */
const OWNERS: readonly ((name: string, at: { namespace: string; template: PodContent }) => [WorkloadView[], object])[] =
  [
    () => [[], {}],
    (name, at) => [[workloadView('StatefulSet', name, at)], ownedBy('StatefulSet', name)],
    (name, at) => [
      [
        workloadView('Deployment', name, at),
        workloadView('ReplicaSet', name, { ...at, ...ownedBy('Deployment', name) }),
      ],
      ownedBy('ReplicaSet', name),
    ],
    // An old ReplicaSet owns the pods.
    (name, at) => [
      [
        workloadView('Deployment', name, at),
        workloadView('ReplicaSet', `${name}-old`, { ...at, replicas: 0, ...ownedBy('Deployment', name) }),
      ],
      ownedBy('ReplicaSet', `${name}-old`),
    ],
    (name, at) => [[workloadView('Job', name, { ...at, finished: true })], ownedBy('Job', name)],
    (name) => [[], ownedBy('Rollout', name, 'argoproj.io/v1alpha1')],
    (name) => [[], ownedBy('Deployment', `${name}-gone`)],
    () => [[], { mirror: true }],
    () => [[], { finished: true }],
  ];

function madeOf({ shape, place, owner, count }: Placed, index: number, shapes: readonly PodContent[]): Made {
  const namespace = NAMESPACES[place % NAMESPACES.length] as string;
  const content = shapes[shape % shapes.length] as PodContent;
  const make = OWNERS[owner % OWNERS.length] as (typeof OWNERS)[number];
  const [workloads, fields] = make(`w-${index}`, { namespace, template: content });
  const serviceAccount = content.spec.serviceAccountName ?? 'default';
  const pods = Array.from({ length: count }, (_, number) =>
    podView(`w-${index}-${number}`, { namespace, serviceAccount, ...content, ...fields }),
  );
  return { workloads, pods };
}
