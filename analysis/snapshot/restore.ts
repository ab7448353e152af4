/** Makes a cluster from a snapshot document. The cluster can be evaluated again, for example with an edited policy. */
import { type CompletePolicy, GROUP, KIND, VERSION } from '../../operator/api/capability-policy.ts';
import { ownedMetadata, POLICY_LABEL, RBAC, SPEC_ANNOTATION, UID_ANNOTATION } from '../../operator/compile/objects.ts';
import { useRoleName } from '../../operator/compile/rbac.ts';
import { frozen } from '../../operator/model/frozen.ts';
import type {
  Cluster,
  Owner,
  PodContent,
  PodView,
  RenderedObject,
  WorkloadView,
} from '../../operator/model/objects.ts';
import { perObject } from '../../operator/policy/memo.ts';
import { parseVersion } from '../../operator/standards/level-version.ts';
import type { OwnerReference, PodGroup, Shape, Snapshot, SnapshotNamespace, SnapshotPolicy } from './document.ts';
import { perNamespace } from './per-namespace.ts';

/**
 * The cluster of a snapshot. The document has only the number of pods in a group of equal pods, and the name of the
 * first pod. The code invents names and UIDs for the other pods. Objects that two snapshots share are restored only
 * once.
 */
export function restoreCluster(snapshot: Snapshot): Cluster {
  const { roles, roleBindings } = snapshot;
  const shapes = snapshot.shapes.map(contentOf);
  const policies = snapshot.policies.map(restorePolicy);
  const policiesByName = new Map(policies.map((policy) => [policy.metadata?.name, policy]));
  const namespaces = snapshot.namespaces.map(
    ({
      reached: _,
      deciding: _deciding,
      controllers: _controllers,
      pods: _pods,
      verdicts: _verdicts,
      used: _used,
      ...namespace
    }) => ({
      ...namespace,
      uid: namespace.name,
    }),
  );
  const namespacesByName = new Map(namespaces.map((namespace) => [namespace.name, namespace]));
  const contents = new Map(snapshot.namespaces.map((namespace) => [namespace.name, restoreContent(namespace, shapes)]));
  const rendered = snapshot.policies.flatMap(recordOfAccepted);
  return {
    policies: () => policies,
    policy: (name) => policiesByName.get(name),
    namespaces: () => namespaces,
    namespace: (name) => namespacesByName.get(name),
    pods: (namespace) => contents.get(namespace)?.pods ?? [],
    workloads: (namespace) => contents.get(namespace)?.workloads ?? [],
    workload: (namespace, kind, name) => contents.get(namespace)?.byName.get(`${kind}/${name}`),
    roles: () => roles,
    roleBindings: () => roleBindings,
    rendered: () => rendered,
    oldestServer: parseVersion(snapshot.serverVersion) ?? 0,
  };
}

/**
 * The content of a shape. The content is frozen, because results are cached only for objects that can no longer change.
 */
const contentOf = perObject(
  ({ annotations, spec }: Shape): PodContent => frozen(structuredClone({ annotations, spec })),
);

function restorePolicy({ name, uid, generation, created, spec, status }: SnapshotPolicy): CompletePolicy {
  const creationTimestamp = created as NonNullable<CompletePolicy['metadata']>['creationTimestamp'];
  return {
    apiVersion: `${GROUP}/${VERSION}`,
    kind: KIND,
    metadata: { name, uid, generation, ...(creationTimestamp && { creationTimestamp }) },
    spec,
    status,
  };
}

/** The role that records the accepted spec. The role is in the form that the API server stores. */
function recordOfAccepted({
  name,
  uid,
  spec,
  recorded,
  accepted = recorded && spec,
}: SnapshotPolicy): RenderedObject[] {
  if (!accepted) return [];
  const annotations = { [SPEC_ANNOTATION]: JSON.stringify(accepted), [UID_ANNOTATION]: uid };
  const metadata = { ...ownedMetadata('', useRoleName(name), { [POLICY_LABEL]: name }), annotations };
  return [{ apiVersion: `${RBAC}/v1`, kind: 'ClusterRole', metadata }];
}

interface Content {
  readonly workloads: readonly WorkloadView[];
  readonly byName: ReadonlyMap<string, WorkloadView>;
  readonly pods: readonly PodView[];
}

const restoreContent = perNamespace((namespace, shapes: readonly PodContent[]): Content => {
  const at = (shape: number) => shapes[shape] as PodContent;
  return {
    ...restoreWorkloads(namespace, at),
    pods: namespace.pods.flatMap((group) => restorePods(namespace.name, group, at(group.shape))),
  };
});

/** The restored workloads of a namespace, in the order in which the document lists the controllers. */
export function restoreWorkloads(
  { name: namespace, controllers }: SnapshotNamespace,
  templateOf: (shape: number) => PodContent,
): Omit<Content, 'pods'> {
  const workloads = controllers.map(({ id, owner, finished, refused, shape, ...controller }) => ({
    ...controller,
    namespace,
    uid: uidOf(id),
    ...(owner && { owner: restoreOwner(owner) }),
    finished: finished ?? false,
    ...(refused && { refused: { ...refused, at: 0 } }),
    template: templateOf(shape),
  }));
  return { workloads, byName: new Map(workloads.map((workload) => [`${workload.kind}/${workload.name}`, workload])) };
}

function restorePods(namespace: string, { name, count, owner, mirror }: PodGroup, content: PodContent): PodView[] {
  const one = {
    namespace,
    name,
    ...(owner && { owner: restoreOwner(owner) }),
    serviceAccount: content.spec.serviceAccountName ?? 'default',
    mirror: mirror ?? false,
    finished: false,
    ...content,
  };
  return Array.from({ length: count }, (_, index) => ({ ...one, uid: `${name}/${index}` }));
}

export function restoreOwner({ id, ...owner }: OwnerReference): Owner {
  return { ...owner, uid: uidOf(id) };
}

function uidOf(id: number): string {
  return `${id}`;
}
