/** Finds the template from which a controller made a pod. */
import type { Cluster, PodContent, PodView } from '../model/objects.ts';
import { isHistory } from '../model/revisions.ts';
import { watchedOwner } from './workloads.ts';

/**
 * The template from which the pod was made. `Older` means that the pod's controller has another template now.
 * `undefined` means that this is unknown, for example for the pods of a ReplicationController.
 */
export type PodSource = PodContent | 'Older' | undefined;

export function sourceOf(pod: PodView, cluster: Pick<Cluster, 'workload'>): PodSource {
  const owner = watchedOwner(pod, cluster);
  switch (owner?.kind) {
    case 'Job':
      return owner.template;
    case 'ReplicaSet':
      // A Deployment never changes the template of its ReplicaSets: pod-template-hash is in their names. A user may
      // change the template of a ReplicaSet without an owner, while its pods stay.
      if (!owner.owner) return undefined;
      return isHistory(owner) ? 'Older' : owner.template;
    case 'StatefulSet':
    case 'DaemonSet':
      if (pod.revision === undefined || owner.revision === undefined) return undefined;
      return pod.revision === owner.revision ? owner.template : 'Older';
    default:
      return undefined;
  }
}
