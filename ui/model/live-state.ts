/** The clusters of a page that `cappol ui` keeps up to date. */
import { type Difference, withDifference } from '../../analysis/snapshot/difference.ts';
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import type { Clusters, ShownCluster } from '../data/clusters.ts';

/** A context of the kubeconfig, with its state on the server. */
export interface FollowedContext {
  readonly context: string;
  /** The reason why the context cannot be read or followed now. */
  readonly problem?: string;
}

/** The clusters, as the events so far describe them. */
export class LiveState {
  /** The reason why no more events arrive; undefined while they arrive. */
  lost: string | undefined;
  #contexts: readonly FollowedContext[] = [];
  readonly #snapshots = new Map<string, Pick<ShownCluster, 'snapshot' | 'change'>>();

  setContexts(contexts: readonly FollowedContext[]): void {
    this.#contexts = contexts;
  }

  /**
   * Replaces the snapshot of a context. The server sends a whole snapshot at the start, and after the page has
   * connected again.
   */
  setSnapshot(snapshot: Snapshot): void {
    this.#snapshots.set(snapshot.context, { snapshot });
  }

  change({ context, difference }: { readonly context: string; readonly difference: Difference }): void {
    const before = this.#snapshots.get(context)?.snapshot;
    if (!before) return;
    this.#snapshots.set(context, { snapshot: withDifference(before, difference), change: { before, difference } });
  }

  clusters(): Clusters {
    const entries = this.#contexts.map((one) => ({ ...one, cluster: this.#snapshots.get(one.context) }));
    return {
      shown: entries.flatMap(({ cluster, problem }) => {
        const stale = this.lost ?? problem;
        return cluster ? [{ ...cluster, live: true, ...(stale !== undefined && { stale }) }] : [];
      }),
      loading: entries
        .filter(({ cluster, problem }) => !cluster && problem === undefined)
        .map(({ context }) => context),
      problems: [
        ...(this.lost !== undefined && this.#snapshots.size === 0 ? [this.lost] : []),
        ...entries.flatMap(({ context, cluster, problem }) =>
          !cluster && problem !== undefined ? [`${context}: ${problem}`] : [],
        ),
      ],
    };
  }
}
