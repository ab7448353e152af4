/** Pods and workloads → the controller that a person would edit. */
import type { Cluster, Owner, WorkloadView } from '../cluster/objects.ts';

/** How reports name a workload. */
export interface WorkloadName {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

interface Owned {
  readonly namespace: string;
  readonly name: string;
  readonly owner?: Owner;
}

/**
 * The top of the chain of owners: ReplicaSet → Deployment, Job → CronJob. An owner that is not watched is the top itself:
 * a custom controller, whose own owner is nobody we know, or an object that is gone.
 */
export function topController(kind: string, start: Owned, cluster: Pick<Cluster, 'workload'>): WorkloadName {
  const { namespace } = start;
  const seen = new Set<string>();
  let top: Owned = start;
  let topKind = kind;
  while (top.owner && !seen.has(top.owner.uid)) {
    const { owner } = top;
    seen.add(owner.uid);
    topKind = owner.kind;
    top = watchedOwner(top, cluster) ?? { namespace, name: owner.name };
  }
  return { kind: topKind, namespace, name: top.name };
}

/** The workload that owns this object; undefined when nothing does, or something that is not watched. */
export function watchedOwner(
  { namespace, owner }: Owned,
  cluster: Pick<Cluster, 'workload'>,
): WorkloadView | undefined {
  const found = owner && cluster.workload(namespace, owner.kind, owner.name);
  // The same name may be another kind's of another API group, or a successor's.
  return found?.uid === owner?.uid ? found : undefined;
}
