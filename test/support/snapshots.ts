/** Snapshots of clusters that a test has in memory. */
import { snapshotOf } from '../../cli/commands/snapshot/run.ts';
import type { Rights } from '../../cli/live.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { Cluster } from '../../operator/model/objects.ts';
import type { Snapshot } from '../../operator/snapshot/document.ts';

export const ALL_RIGHTS: Rights = { forbidden: [], missing: [], judgeable: true, rbac: true };

/** How tests take a snapshot that do not test this. */
export const TAKING = { operatorNamespace: 'operator', excludedNamespaces: ['kube-*'], context: 'test', at: 0 };

/** One for all, since it keeps what it compiled. */
const evaluator = new Evaluator();

/** As its reader gets it. */
export function takenSnapshot(cluster: Cluster, options: Parameters<typeof snapshotOf>[2] = TAKING): Snapshot {
  return JSON.parse(JSON.stringify(snapshotOf(cluster, ALL_RIGHTS, options, evaluator)));
}
