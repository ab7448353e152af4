/** Finds ReplicaSets without pods. A ReplicaSet without pods only keeps an earlier template for a rollback. */
import type { Owner, WorkloadView } from './objects.ts';
import { controllerOf, hasTemplateOf } from './workload-kinds.ts';

type Revision = Pick<WorkloadView, 'kind' | 'owner' | 'replicas'>;

/**
 * Whether the workload is a ReplicaSet of a Deployment and has no pods. A rollback copies the template of the
 * ReplicaSet to the Deployment. The garbage collector deletes the ReplicaSet together with the Deployment.
 */
export function isHistory({ kind, owner, replicas }: Revision): boolean {
  return kind === 'ReplicaSet' && replicas === 0 && owner !== undefined && hasTemplateOf(owner, kind);
}

/**
 * Whether the workload is a ReplicaSet without pods, and belongs to a custom resource. The operator does not watch
 * custom resources. Therefore the operator finds the owner's current template only in ReplicaSets with pods. If the
 * owner has another ReplicaSet with pods, the ReplicaSet without pods is an earlier revision. If no ReplicaSet of the
 * owner has pods, the owner's controller may scale up any of these ReplicaSets.
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
