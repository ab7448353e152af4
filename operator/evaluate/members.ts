/**
 * Lists the pods and templates to evaluate in a namespace. Each item names the workload that a person would edit to
 * change the pod or template.
 */
import type { Cluster, PodView, Refusal, SeenObject, WorkloadView } from '../model/objects.ts';
import { isHistory, mayBeCustomHistory, ownersWithPods } from '../model/revisions.ts';
import { type PodSource, sourceOf } from './pod-source.ts';
import { type Candidate, podCandidate, templateCandidate } from './verdict.ts';
import { type Top, topController } from './workloads.ts';

export type Objects = Pick<Cluster, 'pods' | 'workloads' | 'workload'>;

/** A pod or template of a workload. */
export interface Member extends Top {
  readonly pod: boolean;
  /**
   * Whether the object is the workload's own template, or a pod without an owner. The value is false for the template
   * of a ReplicaSet or Job that the workload created.
   */
  readonly own: boolean;
  readonly candidate: Candidate;
  /** The last refusal of a pod that a controller would have created from this template. */
  readonly refusal?: Refusal;
  /** For a pod, the template from which its controller made it. */
  readonly source?: PodSource;
}

/**
 * A pod or workload that existed at some time since the last evaluation. At the time of the evaluation, the object may
 * be gone or changed.
 */
export interface Seen {
  readonly object: SeenObject;
  /** The last time at which the object existed in this form, in milliseconds since 1970. */
  readonly at: number;
}

/**
 * Lists the objects to evaluate in a namespace: running pods, and templates from which controllers will create pods.
 */
export function membersOf(namespace: string, cluster: Objects): Member[] {
  const templates = evaluatedOf([...cluster.workloads(namespace)]).map((workload) => templateMember(workload, cluster));
  const pods = [...cluster.pods(namespace)].flatMap((pod) => podMember(pod, cluster));
  return [...templates, ...pods];
}

export function memberOf(object: SeenObject, cluster: Objects): Member[] {
  if (!('template' in object)) return podMember(object, cluster);
  return evaluatedOf([object], () => cluster.workloads(object.namespace)).map((workload) =>
    templateMember(workload, cluster),
  );
}

function templateMember(workload: WorkloadView, cluster: Objects): Member {
  const top = topController(workload.kind, workload, cluster);
  const own = top.workload.kind === workload.kind && top.workload.name === workload.name;
  const { refused } = workload;
  return { ...top, pod: false, own, candidate: templateCandidate(workload), ...(refused && { refusal: refused }) };
}

function podMember(pod: PodView, cluster: Objects): Member[] {
  if (pod.mirror || pod.finished) return [];
  const source = sourceOf(pod, cluster);
  return [
    {
      ...topController('Pod', pod, cluster),
      pod: true,
      own: pod.owner === undefined,
      candidate: podCandidate(pod),
      ...(source && { source }),
    },
  ];
}

/**
 * Selects the workloads that have a template of their own, if a controller will create pods from this template. A
 * workload with an owner may be included, because the owner may have another template. The result leaves out finished
 * Jobs. Some ReplicaSets have no pods and only keep an earlier template. The result leaves out these ReplicaSets too.
 *
 * @param all returns all workloads of the namespace. If other workloads cannot change the result, `all` is not called
 */
export function evaluatedOf<View extends WorkloadView>(
  workloads: readonly View[],
  all: () => Iterable<WorkloadView> = () => workloads,
): View[] {
  const makingPods = workloads.filter((one) => !one.finished && !isHistory(one));
  if (!makingPods.some(mayBeCustomHistory)) return makingPods;
  const withPods = ownersWithPods(all());
  return makingPods.filter((one) => !(mayBeCustomHistory(one) && withPods.has(one.owner.uid)));
}
