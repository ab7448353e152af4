/** The clusters that the page shows, and the sources of their snapshots. */
import type { Difference } from '../../analysis/snapshot/difference.ts';
import type { Snapshot } from '../../analysis/snapshot/document.ts';

export interface SnapshotChange {
  readonly before: Snapshot;
  readonly difference: Difference;
}

export interface ShownCluster {
  readonly snapshot: Snapshot;
  /** The change that made this snapshot; absent for a snapshot that came as a whole. */
  readonly change?: SnapshotChange;
  /** Whether the page follows the cluster. */
  readonly live: boolean;
  /** The reason why the snapshot may be out of date; undefined if it is up to date. */
  readonly stale?: string;
}

/** All clusters of the page, and the state of reading them. */
export interface Clusters {
  /**
   * The clusters, in the order in which they were requested. If there is no cluster, the page shows only the
   * playground.
   */
  readonly shown: readonly ShownCluster[];
  /** Snapshots that have not arrived yet, by context. */
  readonly loading: readonly string[];
  /** Error messages, for people. */
  readonly problems: readonly string[];
}

export const NO_CLUSTERS: Clusters = { shown: [], loading: [], problems: [] };

/** Calls `show` at once, and again when something arrives or changes. */
export type ClusterSource = (show: (clusters: Clusters) => void) => void;
