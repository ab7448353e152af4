/** Keeps the clusters up to date on a page that `cappol ui` serves. */
import { type Difference, withDifference } from '../../analysis/snapshot/difference.ts';
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import type { Clusters, ShownCluster } from '../data/clusters.ts';

/** A context of the kubeconfig, with the state that the server reports for the context. */
export interface FollowedContext {
  readonly context: string;
  /** The reason why the context cannot be read or followed now. If there is no problem, the field is absent. */
  readonly problem?: string;
}

/** The state of the clusters after all events so far. */
export class LiveState {
  /** The reason why no more events arrive. While events arrive, the value is undefined. */
  lost: string | undefined;
  #contexts: readonly FollowedContext[] = [];
  readonly #snapshots = new Map<string, Pick<ShownCluster, 'snapshot' | 'change'>>();

  setContexts(contexts: readonly FollowedContext[]): void {
    this.#contexts = contexts;
  }

  /**
   * Replaces the snapshot of a context. The server sends a whole snapshot at the start, and after each new connection
   * of the page.
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
