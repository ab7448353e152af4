/** Finds the workloads that exist in only one snapshot, and pairs the workloads of two snapshots. */
import type { WorkloadName } from '../../operator/evaluate/workloads.ts';
import { entriesByKey } from '../../operator/model/by-key.ts';
import type { Shape, Snapshot, SnapshotNamespace } from '../snapshot/document.ts';
import { finishedWorkloads, workloadsOf } from '../snapshot/workloads.ts';

/** A workload in one of two snapshots, or in both. */
export interface PairedWorkload extends WorkloadName {
  /**
   * The distinct shapes of the workload's template and pods in the old snapshot. The list is empty if the workload was
   * finished. The field is undefined if the old snapshot lacks the workload.
   */
  readonly before: readonly Shape[] | undefined;
  /**
   * The distinct shapes of the workload's template and pods in the new snapshot. The list is empty if the workload is
   * finished. The field is undefined if the new snapshot lacks the workload.
   */
  readonly after: readonly Shape[] | undefined;
}

/** The workloads of both snapshots, sorted by namespace, kind and name. */
export function pairedWorkloads(old: Snapshot, now: Snapshot): PairedWorkload[] {
  const sides = withSameKinds(old, now);
  const [before, after] = [shapesByWorkload(sides[0]), shapesByWorkload(sides[1])];
  const all = new Map([...before, ...after]);
  return entriesByKey(all).map(
    ([
      key,
      {
        workload: { kind, namespace, name },
      },
    ]) => ({
      namespace,
      kind,
      name,
      before: before.get(key)?.shapes,
      after: after.get(key)?.shapes,
    }),
  );
}

/** The workloads that make pods in the snapshot `side`, and do not exist in the other snapshot. */
export function workloadsOnlyIn(
  side: 'before' | 'after',
  paired: readonly PairedWorkload[],
): Pick<PairedWorkload, keyof WorkloadName>[] {
  const other = side === 'before' ? 'after' : 'before';
  return paired
    .filter((one) => one[side]?.length && !one[other])
    .map(({ namespace, kind, name }) => ({ namespace, kind, name }));
}

/**
 * Returns the snapshots without PodTemplates if one of the clusters had no CRD. PodTemplates are not read in a cluster
 * without the CRD.
 */
function withSameKinds(old: Snapshot, now: Snapshot): readonly [Snapshot, Snapshot] {
  const isRead = [old, now].every(({ installed = true }) => installed);
  return isRead ? [old, now] : [withoutPodTemplates(old), withoutPodTemplates(now)];
}

function withoutPodTemplates(snapshot: Snapshot): Snapshot {
  const namespaces = snapshot.namespaces.map((namespace) => ({
    ...namespace,
    controllers: namespace.controllers.filter(({ kind }) => kind !== 'PodTemplate'),
  }));
  return { ...snapshot, namespaces };
}

interface Known {
  readonly workload: WorkloadName;
  readonly shapes: readonly Shape[];
}

function shapesByWorkload({ namespaces, shapes }: Snapshot): Map<string, Known> {
  const known = namespaces.flatMap((namespace) => [
    ...finishedWorkloads(namespace).map((workload) => knownAs(workload, [])),
    ...workloadsOf(withoutStaticPods(namespace)).map(({ shapes: indexes, ...workload }) =>
      knownAs(
        workload,
        indexes.map((index) => shapes[index] as Shape),
      ),
    ),
  ]);
  return new Map(known);
}

function knownAs(workload: WorkloadName, shapes: readonly Shape[]): [string, Known] {
  return [`${workload.namespace}\n${workload.kind}\n${workload.name}`, { workload, shapes }];
}

/**
 * Static pods are left out, because they belong to their node and no policy decides about them. `cappol explain` leaves
 * static pods out, too.
 */
function withoutStaticPods(namespace: SnapshotNamespace): SnapshotNamespace {
  if (!namespace.pods.some(({ mirror }) => mirror)) return namespace;
  return { ...namespace, pods: namespace.pods.filter(({ mirror }) => !mirror) };
}
