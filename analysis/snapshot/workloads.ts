/**
 * Finds the workloads of a namespace in the document. A workload consists of the controller that a person would edit,
 * and the shapes of its pods.
 */
import { evaluatedOf } from '../../operator/evaluate/members.ts';
import { topController, type WorkloadName } from '../../operator/evaluate/workloads.ts';
import { valuesByKey } from '../../operator/model/by-key.ts';
import type { Cluster, WorkloadView } from '../../operator/model/objects.ts';
import { perObject } from '../../operator/policy/memo.ts';
import type { SnapshotNamespace } from './document.ts';
import { restoreOwner, restoreWorkloads } from './restore.ts';

export interface SnapshotWorkload extends WorkloadName {
  /** The number of running pods. Mirror pods belong to their node, but are included. */
  readonly pods: number;
  /** The distinct shapes of the workload's template and pods, as indexes into the document's `shapes`. */
  readonly shapes: readonly number[];
}

/** A placeholder for templates, because finding owners needs no real template. */
const TEMPLATE = { annotations: {}, spec: { containers: [] } };

/**
 * The workloads of a namespace, sorted by kind and name like verdicts. The workloads are cached by the namespace
 * object. The namespace object stays the same until something in the namespace changes.
 */
export const workloadsOf = perObject((namespace: SnapshotNamespace): readonly SnapshotWorkload[] => {
  const { workloads, byName } = restoreWorkloads(namespace, () => TEMPLATE);
  const cluster = among(byName);
  const shapes = new Map(workloads.map((workload, index) => [workload, namespace.controllers[index]?.shape as number]));
  const templates = evaluatedOf(workloads).map((workload) => {
    return { ...topController(workload.kind, workload, cluster), pods: 0, shape: shapes.get(workload) as number };
  });
  const pods = namespace.pods.map(({ name, owner, count, shape }) => {
    const pod = { namespace: namespace.name, name, ...(owner && { owner: restoreOwner(owner) }) };
    return { ...topController('Pod', pod, cluster), pods: count, shape };
  });
  const groups = Map.groupBy([...templates, ...pods], ({ workload: { kind, name } }) => `${kind}\n${name}`);
  return valuesByKey(groups).map((members) => ({
    ...(members as [(typeof templates)[number]])[0].workload,
    pods: members.reduce((sum, member) => sum + member.pods, 0),
    shapes: [...new Set(members.map(({ shape }) => shape))],
  }));
});

/** The workloads of finished Jobs. A finished Job makes no more pods, but still exists. */
export function finishedWorkloads(namespace: SnapshotNamespace): WorkloadName[] {
  const { workloads, byName } = restoreWorkloads(namespace, () => TEMPLATE);
  const finished = workloads.filter((workload) => workload.finished);
  return finished.map((workload) => topController(workload.kind, workload, among(byName)).workload);
}

function among(byName: ReadonlyMap<string, WorkloadView>): Pick<Cluster, 'workload'> {
  return { workload: (_, kind, name) => byName.get(`${kind}/${name}`) };
}
