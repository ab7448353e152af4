/** A snapshot as the worker judges it. */
import { ClusterState } from '../../operator/controllers/cluster-state.ts';
import type { Cluster } from '../../operator/model/objects.ts';
import type { Snapshot } from '../../operator/snapshot/document.ts';
import { restoreCluster } from '../../operator/snapshot/restore.ts';

export interface Loaded {
  readonly snapshot: Snapshot;
  readonly cluster: Cluster;
  readonly state: ClusterState;
  /** Patterns of namespaces that no policy reaches. */
  readonly excluded: readonly string[];
}

export function stateOf(snapshot: Snapshot): Loaded {
  const cluster = restoreCluster(snapshot);
  const { operatorNamespace, excludedNamespaces, taken } = snapshot;
  const now = () => Date.parse(taken);
  const state = new ClusterState(cluster, { operatorNamespace, excludedNamespaces, podSecurityDefaults: {}, now });
  state.accept();
  return { snapshot, cluster, state, excluded: [operatorNamespace, ...excludedNamespaces] };
}
