/** Reads the snapshots in files that the user opens. The page of the static site does not contain snapshots. */
import { snapshotIn } from '../model/opened-snapshot.ts';
import { type ClusterSource, type Clusters, NO_CLUSTERS } from './clusters.ts';

export interface OpenedClusters {
  readonly source: ClusterSource;
  /** Adds the snapshot in each file, in place of an older snapshot of the same context. */
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
