/** Defines the clusters that the page shows, and the sources of their snapshots. */
import type { Difference } from '../../analysis/snapshot/difference.ts';
import type { Snapshot } from '../../analysis/snapshot/document.ts';

export interface SnapshotChange {
  readonly before: Snapshot;
  readonly difference: Difference;
}

export interface ShownCluster {
  readonly snapshot: Snapshot;
  /** The change that led to this snapshot. If the snapshot arrived as a whole, the field is absent. */
  readonly change?: SnapshotChange;
  /** Whether the page follows the cluster. */
  readonly live: boolean;
  /** The reason why the snapshot may be out of date. If the snapshot is up to date, the value is undefined. */
  readonly stale?: string;
}

/** All clusters of the page, and whether their snapshots have arrived. */
export interface Clusters {
  /** The clusters in the order in which they were requested. If there is no cluster, only the playground is shown. */
  readonly shown: readonly ShownCluster[];
  /** The contexts of the snapshots that have not arrived yet. */
  readonly loading: readonly string[];
  /** The error messages, as texts for users. */
  readonly problems: readonly string[];
}

export const NO_CLUSTERS: Clusters = { shown: [], loading: [], problems: [] };

/** Calls `show` at once, and again after each change. */
export type ClusterSource = (show: (clusters: Clusters) => void) => void;
