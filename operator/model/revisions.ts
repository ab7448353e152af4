/** Finds ReplicaSets without pods. A ReplicaSet without pods only keeps an earlier template for a rollback. */
import type { Owner, WorkloadView } from './objects.ts';
import { controllerOf, hasTemplateOf } from './workload-kinds.ts';

type Revision = Pick<WorkloadView, 'kind' | 'owner' | 'replicas'>;

/**
 * Whether the workload is a ReplicaSet without pods that its Deployment keeps. A rollback copies the template of such a
 * ReplicaSet to its Deployment. The garbage collector deletes the ReplicaSet together with the Deployment.
 */
export function isHistory({ kind, owner, replicas }: Revision): boolean {
  return kind === 'ReplicaSet' && replicas === 0 && owner !== undefined && hasTemplateOf(owner, kind);
}

/**
 * Whether the workload is a ReplicaSet without pods whose owner is a custom resource. The operator does not watch
 * custom resources. So the owner's current template is visible only in ReplicaSets with pods. If the owner has another
 * ReplicaSet with pods, the ReplicaSet without pods is an earlier revision. If no ReplicaSet of the owner has pods, the
 * owner's controller may scale up any of its ReplicaSets.
 */
export function mayBeCustomHistory<One extends Revision>(one: One): one is One & { readonly owner: Owner } {
  const { kind, owner, replicas } = one;
  return kind === 'ReplicaSet' && replicas === 0 && !!owner && !controllerOf(owner.apiVersion, owner.kind);
}

/** The UIDs of the owners of ReplicaSets with pods. */
export function ownersWithPods(workloads: Iterable<Revision>): Set<string> {
  const active = [...workloads].filter(({ kind, replicas }) => kind === 'ReplicaSet' && replicas !== 0);
  return new Set(active.flatMap(({ owner }) => (owner ? [owner.uid] : [])));
}
