/** Small clusters for tests of the changes between two snapshots. */
import { type History, historyOf } from '../../analysis/history/history.ts';
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import type { CompletePolicy } from '../../operator/api/capability-policy.ts';
import type { NamespaceView, PodView, WorkloadView } from '../../operator/model/objects.ts';
import { app, pod, secured } from '../support/pods.ts';
import { TAKING, takenSnapshot } from '../support/snapshots.ts';
import { clusterOf, wholeCluster, workloadView } from '../support/views.ts';

export const DAY = 86_400_000;
export const MONDAY = Date.UTC(2026, 10, 23);
export const TUESDAY = MONDAY + DAY;

/** The objects of a cluster. By default, the cluster has only the namespace `net`, and nothing in this namespace. */
export interface World {
  readonly workloads?: readonly WorkloadView[];
  readonly pods?: readonly PodView[];
  readonly policies?: readonly CompletePolicy[];
  readonly namespaces?: readonly NamespaceView[];
}

export function namespaceView(name: string, fields: Partial<NamespaceView> = {}): NamespaceView {
  const labels = { 'kubernetes.io/metadata.name': name };
  return { name, uid: name, terminating: false, labels, labelOwners: {}, ...fields };
}

export function snapshotAt(at: number, { workloads = [], pods = [], policies = [], namespaces }: World): Snapshot {
  const cluster = wholeCluster(clusterOf(workloads, pods), policies, namespaces ?? [namespaceView('net')]);
  return takenSnapshot(cluster, { ...TAKING, at });
}

/** The history from the cluster `old` on Monday to the cluster `now` on Tuesday. */
export function between(old: World, now: World): History {
  return historyOf(snapshotAt(MONDAY, old), snapshotAt(TUESDAY, now));
}

/** A history without changes. */
export const NOTHING = {
  workloads: { came: [], gone: [] },
  capabilities: { gained: [], lost: [] },
  exceptions: { new: [], ended: [], unused: [], neededAgain: [] },
  namespaces: { enforced: [], notEnforced: [] },
};

/** The history without its times. */
export function changesOf({ from: _from, to: _to, ...changes }: History) {
  return changes;
}

/** A world with the Deployment `web`. */
export const web = (template = pod()) => ({ workloads: [workloadView('Deployment', 'web', { template })] });
export const DROPPED = app(secured({ capabilities: { drop: ['ALL'] } }));
/** A pod whose container drops ALL and adds the given capabilities. */
export const droppingAnd = (add: string[], spec = {}) => app(secured({ capabilities: { drop: ['ALL'], add } }), spec);
export const PRIVILEGED = app(secured({ privileged: true }));
