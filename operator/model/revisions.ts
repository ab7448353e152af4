/** ReplicaSets without pods that only keep an earlier template for a rollback. */
import type { WorkloadView } from './objects.ts';
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
 * Whether a ReplicaSet without pods is an earlier revision of a custom resource. Nobody watches the custom resource, so its
 * current template is that of its ReplicaSets with pods. Without such a ReplicaSet, the controller may scale up any of them.
 *
 * @param withPods the UIDs of the owners of ReplicaSets with pods
 */
export function isCustomHistory({ kind, owner, replicas }: Revision, withPods: ReadonlySet<string>): boolean {
  if (kind !== 'ReplicaSet' || replicas !== 0 || !owner) return false;
  return controllerOf(owner.apiVersion, owner.kind) === undefined && withPods.has(owner.uid);
}

/** The UIDs of the owners of ReplicaSets with pods. */
export function ownersWithPods(workloads: Iterable<Revision>): Set<string> {
  const active = [...workloads].filter(({ kind, replicas }) => kind === 'ReplicaSet' && replicas !== 0);
  return new Set(active.flatMap(({ owner }) => (owner ? [owner.uid] : [])));
}
