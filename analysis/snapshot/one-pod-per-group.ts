/** Reduces a snapshot to one pod of each group of equal pods, for questions that do not count pods. */
import { perObject } from '../../operator/policy/memo.ts';
import type { Snapshot, SnapshotNamespace } from './document.ts';

/** The snapshot with one pod of each group. Equal pods have the same verdict, and answers are about workloads. */
export function onePodPerGroup(snapshot: Snapshot): Snapshot {
  return { ...snapshot, namespaces: snapshot.namespaces.map(withOnePod) };
}

const withOnePod = perObject(
  (namespace: SnapshotNamespace): SnapshotNamespace => ({
    ...namespace,
    pods: namespace.pods.map((group) => ({ ...group, count: 1 })),
  }),
);
