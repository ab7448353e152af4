/** The snapshots of files that somebody opens in a page that has no snapshots: the static site. */
import { snapshotIn } from '../model/opened-snapshot.ts';
import { type ClusterSource, type Clusters, NO_CLUSTERS } from './clusters.ts';

export interface OpenedClusters {
  readonly source: ClusterSource;
  /** Adds the snapshot of each file, which replaces an older snapshot of the same context. */
  open(files: Iterable<File>): Promise<void>;
}

export function openedClusters(): OpenedClusters {
  let clusters: Clusters = NO_CLUSTERS;
  let show: (clusters: Clusters) => void = () => {};
  const change = (next: Partial<Clusters>) => {
    clusters = { ...clusters, ...next };
    show(clusters);
  };
  return {
    source(listener) {
      show = listener;
      show(clusters);
    },
    async open(files) {
      const all = [...files];
      change({ loading: all.map(({ name }) => name), problems: [] });
      for (const file of all) {
        try {
          const snapshot = await snapshotIn(new Uint8Array(await file.arrayBuffer()));
          const others = clusters.shown.filter((one) => one.snapshot.context !== snapshot.context);
          change({ shown: [{ snapshot, live: false }, ...others] });
        } catch (error) {
          change({ problems: [...clusters.problems, `${file.name}: ${(error as Error).message}`] });
        }
      }
      change({ loading: [] });
    },
  };
}
