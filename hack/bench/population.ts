/**
 * Fills a cluster with namespaces of 20 pods each. The pods belong to workloads of 4 pods, and each workload has one of
 * the shapes.
 */
import { objectOf, type RawPage } from '../../operator/model/raw.ts';
import { waitFor } from '../controlplane/wait.ts';
import { asWritten, type BenchCluster } from './bench-cluster.ts';
import { type Entry, Etcd } from './etcd.ts';
import { running, type Shape, shapes, TOKEN_VOLUME } from './shapes.ts';

export interface Population {
  readonly pods: number;
  readonly namespaces: number;
  readonly workloads: number;
  readonly violatingWorkloads: number;
  /** The average size of a pod as JSON, in bytes. */
  readonly podBytes: number;
}

interface PopulationOptions {
  readonly pods: number;
  readonly shapes: number;
  /** Whether all pods differ. */
  readonly distinct?: boolean;
  /** Whether the Deployments and ReplicaSets of the pods also exist. */
  readonly controllers?: boolean;
}

const PATIENCE_MS = 900_000;
export const PODS_OF_NAMESPACE = 20;
/** The number of teams. The label `team` assigns the same number of namespaces to each team. */
export const TEAMS = 100;
const PODS_OF_WORKLOAD = 4;
const WORKLOADS_OF_NAMESPACE = PODS_OF_NAMESPACE / PODS_OF_WORKLOAD;

/** Makes the text of an object. The parameter `own` contains the fields that differ from object to object. */
type Template = (own: Own) => string;

interface Own {
  readonly namespace: string;
  readonly workload: string;
  readonly name: string;
  readonly index: number;
}

/**
 * Fills the cluster with objects. The promise resolves when the API server's watch cache has all objects. Before the
 * watch cache has all objects, the API server would read from etcd.
 */
export async function populate(cluster: BenchCluster, options: PopulationOptions): Promise<Population> {
  const all = shapes(options.shapes);
  const [namespace, ...pods] = await Promise.all([
    namespaceTemplate(cluster),
    ...all.map((shape) => podTemplate(cluster, shape, options.distinct ?? false)),
  ]);
  const controllers = options.controllers ? await Promise.all(all.map((shape) => controllersOf(cluster, shape))) : [];
  const namespaces = Math.ceil(options.pods / PODS_OF_NAMESPACE);
  let bytes = 0;
  const podEntry = (index: number): Entry => {
    const own = ownOf(index, all);
    const object = pods[shapeOf(index, all)]?.(own) ?? '';
    bytes += object.length;
    return { key: `pods/${own.namespace}/${own.name}`, object };
  };
  function* entries(): Generator<Entry> {
    for (let index = 0; index < namespaces; index++) {
      const name = namespaceName(index);
      yield { key: `namespaces/${name}`, object: namespace({ namespace: name, workload: '', name, index }) };
    }
    for (let index = 0; index < options.pods; index += PODS_OF_WORKLOAD) {
      const own = ownOf(index, all);
      yield* (controllers[shapeOf(index, all)] ?? []).map((entryOf) => entryOf(own));
    }
    for (let index = 0; index < options.pods - 1; index++) yield podEntry(index);
  }
  const etcd = new Etcd(cluster.controlPlane.pids);
  await etcd.write(entries());
  // All objects of a transaction have the same revision. The last object needs a separate revision. When the watch
  // cache has this revision, the watch cache has all objects. The last object is therefore written in a separate
  // transaction.
  await etcd.write([podEntry(options.pods - 1)]);
  await etcd.close();
  await allCached(cluster, options.pods);
  return {
    pods: options.pods,
    namespaces,
    workloads: Math.ceil(options.pods / PODS_OF_WORKLOAD),
    violatingWorkloads: violating(options.pods, all),
    podBytes: Math.round(bytes / options.pods),
  };
}

/** Requests the current state of one namespace until the watch cache can answer. */
async function allCached({ client }: BenchCluster, pods: number): Promise<void> {
  const { metadata, items } = await client.get<RawPage>('/api/v1/pods', { limit: 1 });
  const query = { resourceVersion: metadata?.resourceVersion ?? '', resourceVersionMatch: 'NotOlderThan' };
  const path = `/api/v1/namespaces/${namespaceName(0)}/pods`;
  const asOfNow = () =>
    client.get(path, query).then(
      () => true,
      () => false,
    );
  await waitFor('the API server to read all pods', asOfNow, { timeoutMs: PATIENCE_MS, intervalMs: 1_000 });
  const found = (items?.length ?? 0) + Number(objectOf(metadata).remainingItemCount ?? 0);
  if (found !== pods) throw new Error(`the API server has ${found} pods instead of ${pods}`);
}

export function namespaceName(index: number): string {
  return `team-${String(index).padStart(4, '0')}`;
}

/** The index of a pod's shape. All pods of a workload have the same shape. */
function shapeOf(pod: number, all: readonly Shape[]): number {
  return Math.floor(pod / PODS_OF_WORKLOAD) % all.length;
}

function violating(pods: number, all: readonly Shape[]): number {
  const workloads = Array.from({ length: Math.ceil(pods / PODS_OF_WORKLOAD) }, (_, index) => index % all.length);
  return workloads.filter((shape) => all[shape]?.violating).length;
}

function ownOf(index: number, all: readonly Shape[]): Own {
  const workloadIndex = Math.floor(index / PODS_OF_WORKLOAD);
  const shape = all[shapeOf(index, all)];
  const workload = `${shape?.name}-${workloadIndex % WORKLOADS_OF_NAMESPACE}-${shape?.labels['pod-template-hash']}`;
  return {
    namespace: namespaceName(Math.floor(index / PODS_OF_NAMESPACE)),
    workload,
    name: `${workload}-${random(index)}`,
    index,
  };
}

async function namespaceTemplate({ client }: BenchCluster): Promise<Template> {
  const metadata = { name: 'the-namespace', labels: { team: 'the-team' } };
  const written = await asWritten(client, { apiVersion: 'v1', kind: 'Namespace', metadata }, 'kubectl');
  const text = JSON.stringify(written);
  const uid = String(written.metadata?.uid);
  return ({ namespace, index }) =>
    text
      .replaceAll('the-namespace', namespace)
      .replace('the-team', `team-${index % TEAMS}`)
      .replace(uid, uidOf('n', index));
}

async function podTemplate({ client }: BenchCluster, shape: Shape, distinct: boolean): Promise<Template> {
  const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'the-workload', uid: uidOf('w', 0) };
  const metadata = {
    name: `the-pod-${shape.name}`,
    namespace: 'default',
    labels: shape.labels,
    annotations: shape.annotations,
    ownerReferences: [{ ...owner, controller: true, blockOwnerDeletion: true }],
  };
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata, spec: shape.spec };
  const written = await asWritten(client, pod, 'kube-controller-manager');
  const text = JSON.stringify(running(written, shape));
  const uid = String(written.metadata?.uid);
  return ({ namespace, workload, name, index }) => {
    const own = text
      .replace(metadata.name, name)
      .replace('"namespace":"default"', `"namespace":"${namespace}"`)
      .replace(uid, uidOf('p', index))
      .replace('the-workload', workload)
      .replace(owner.uid, uidOf('w', Math.floor(index / PODS_OF_WORKLOAD)))
      .replaceAll(TOKEN_VOLUME, `kube-api-access-${random(index)}`);
    return distinct ? own.replace(/"runAsUser":\d+/, `"runAsUser":${100_000 + index}`) : own;
  };
}

/** The templates of a workload's Deployment and ReplicaSet. */
async function controllersOf({ client }: BenchCluster, shape: Shape): Promise<((own: Own) => Entry)[]> {
  const { nodeName: _, ...spec } = shape.spec;
  const { labels, annotations } = shape;
  const metadata = { namespace: 'default', labels };
  const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'the-deployment', uid: uidOf('d', 0) };
  const ownerReferences = [{ ...owner, controller: true, blockOwnerDeletion: true }];
  const own = {
    replicas: PODS_OF_WORKLOAD,
    selector: { matchLabels: labels },
    template: { metadata: { labels, annotations }, spec },
  };
  const written = await Promise.all(
    [
      { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { ...metadata, name: 'the-deployment' }, spec: own },
      {
        apiVersion: 'apps/v1',
        kind: 'ReplicaSet',
        metadata: { ...metadata, name: 'the-workload', ownerReferences },
        spec: own,
      },
    ].map((object) => asWritten(client, object, 'kube-controller-manager')),
  );
  return written.map((object) => {
    const [text, uid] = [JSON.stringify(object), String(object.metadata?.uid)];
    const isDeployment = object.kind === 'Deployment';
    return ({ namespace, workload, index }) => {
      const deployment = workload.slice(0, workload.lastIndexOf('-'));
      const number = Math.floor(index / PODS_OF_WORKLOAD);
      return {
        key: isDeployment ? `deployments/${namespace}/${deployment}` : `replicasets/${namespace}/${workload}`,
        object: text
          .replace('"namespace":"default"', `"namespace":"${namespace}"`)
          .replace(uid, uidOf(isDeployment ? 'd' : 'w', number))
          .replace(owner.uid, uidOf('d', number))
          .replaceAll('the-deployment', deployment)
          .replaceAll('the-workload', workload),
      };
    };
  });
}

function uidOf(kind: 'd' | 'n' | 'p' | 'w', index: number): string {
  const first = { n: '1', p: '2', w: '3', d: '4' }[kind];
  return `${first}c9a4b8d-3c1c-4c5e-9f53-${String(index).padStart(12, '0')}`;
}

/** A suffix of five characters that looks like the suffixes that the API server generates. */
function random(index: number): string {
  return ((index * 2_654_435_761) % 28_629_151).toString(31).padStart(5, '0').slice(-5);
}
