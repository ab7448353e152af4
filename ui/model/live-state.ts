/** The clusters of a page that `cappol ui` keeps up to date. */
import { type Difference, withDifference } from '../../operator/snapshot/difference.ts';
import type { Snapshot } from '../../operator/snapshot/document.ts';
import type { Clusters } from '../data/clusters.ts';

/** A context as the server sees it. */
export interface FollowedContext {
  readonly context: string;
  /** Why it cannot be read or followed now. */
  readonly problem?: string;
}

/** The clusters as the events so far tell them. */
export class LiveState {
  /** Why no more events arrive; undefined while they do. */
  lost: string | undefined;
  #contexts: readonly FollowedContext[] = [];
  readonly #snapshots = new Map<string, Snapshot>();

  setContexts(contexts: readonly FollowedContext[]): void {
    this.#contexts = contexts;
  }

  /** Also after the page has connected again. */
  setSnapshot(snapshot: Snapshot): void {
    this.#snapshots.set(snapshot.context, snapshot);
  }

  change({ context, difference }: { readonly context: string; readonly difference: Difference }): void {
    const before = this.#snapshots.get(context);
    if (before) this.#snapshots.set(context, withDifference(before, difference));
  }

  clusters(): Clusters {
    const entries = this.#contexts.map((one) => ({ ...one, snapshot: this.#snapshots.get(one.context) }));
    return {
      shown: entries.flatMap(({ snapshot, problem }) => {
        const stale = this.lost ?? problem;
        return snapshot ? [{ snapshot, live: true, ...(stale !== undefined && { stale }) }] : [];
      }),
      loading: entries
        .filter(({ snapshot, problem }) => !snapshot && problem === undefined)
        .map(({ context }) => context),
      problems: [
        ...(this.lost !== undefined && this.#snapshots.size === 0 ? [this.lost] : []),
        ...entries.flatMap(({ context, snapshot, problem }) =>
          !snapshot && problem !== undefined ? [`${context}: ${problem}`] : [],
        ),
      ],
    };
  }
}
