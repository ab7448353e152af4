/** The pods and templates of a namespace that are evaluated, each with the workload that a person would edit. */
import type { Cluster, PodView, SeenObject, WorkloadView } from '../model/objects.ts';
import { type Candidate, podCandidate, templateCandidate } from './verdict.ts';
import { type Top, topController, watchedOwner } from './workloads.ts';

export type Objects = Pick<Cluster, 'pods' | 'workloads' | 'workload'>;

/** A pod or template of a workload. */
export interface Member extends Top {
  readonly pod: boolean;
  readonly candidate: Candidate;
}

/** A pod or workload that was there at some time since the last evaluation, and may be gone or changed. */
export interface Seen {
  readonly object: SeenObject;
  /** The last time at which it was there, in milliseconds since 1970. */
  readonly at: number;
}

/** The judged objects of a namespace: running pods, and templates that will make pods. */
export function membersOf(namespace: string, cluster: Objects): Member[] {
  const templates = [...cluster.workloads(namespace)].flatMap((workload) => templateMember(workload, cluster));
  const pods = [...cluster.pods(namespace)].flatMap((pod) => podMember(pod, cluster));
  return [...templates, ...pods];
}

export function memberOf(object: SeenObject, cluster: Objects): Member[] {
  return 'template' in object ? templateMember(object, cluster) : podMember(object, cluster);
}

function templateMember(workload: WorkloadView, cluster: Objects): Member[] {
  if (!isJudged(workload, cluster)) return [];
  const top = topController(workload.kind, workload, cluster);
  return [{ ...top, pod: false, candidate: templateCandidate(workload) }];
}

function podMember(pod: PodView, cluster: Objects): Member[] {
  if (pod.mirror || pod.finished) return [];
  return [{ ...topController('Pod', pod, cluster), pod: true, candidate: podCandidate(pod) }];
}

/**
 * Whether a workload's own template will make pods: a template with an owner repeats the owner's, and old revisions
 * make none.
 */
export function isJudged(workload: WorkloadView, cluster: Pick<Cluster, 'workload'>): boolean {
  const history = workload.kind === 'ReplicaSet' && workload.replicas === 0 && workload.owner !== undefined;
  return !workload.finished && !history && watchedOwner(workload, cluster) === undefined;
}
