/** ReplicaSets without pods that only keep an earlier template for a rollback. */
import type { Owner, WorkloadView } from './objects.ts';
import { controllerOf, hasTemplateOf } from './workload-kinds.ts';

type Revision = Pick<WorkloadView, 'kind' | 'owner' | 'replicas'>;

/**
 * A ReplicaSet without pods that its Deployment keeps. The template that a rollback brings back is then the
 * Deployment's own. The garbage collector deletes such a ReplicaSet when the Deployment is gone.
 */
export function isHistory({ kind, owner, replicas }: Revision): boolean {
  return kind === 'ReplicaSet' && replicas === 0 && owner !== undefined && hasTemplateOf(owner, kind);
}

/**
 * A ReplicaSet without pods of a custom resource. It is an earlier revision if another one of that resource has pods: nobody
 * watches the resource, so its current template is that of its ReplicaSets with pods. Without such a ReplicaSet, the
 * controller may scale up any of them.
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
