/** ReplicaSets without pods that only keep an earlier template for a rollback. */
import type { Owner, WorkloadView } from './objects.ts';
import { controllerOf, hasTemplateOf } from './workload-kinds.ts';

type Revision = Pick<WorkloadView, 'kind' | 'owner' | 'replicas'>;

/**
 * A ReplicaSet without pods that its Deployment keeps. After a rollback, its template is the Deployment's own. The
 * garbage collector deletes such a ReplicaSet together with the Deployment.
 */
export function isHistory({ kind, owner, replicas }: Revision): boolean {
  return kind === 'ReplicaSet' && replicas === 0 && owner !== undefined && hasTemplateOf(owner, kind);
}

/**
 * A ReplicaSet without pods whose owner is a custom resource. Nobody watches the resource, so its ReplicaSets with pods
 * show its current template. If there is one, this ReplicaSet is an earlier revision. If there is none, the controller
 * may scale up any of them.
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
