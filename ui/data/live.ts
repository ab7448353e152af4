/** Receives the snapshots of `cappol ui`. The server sends changes as Server-Sent Events. */
import type { Difference } from '../../analysis/snapshot/difference.ts';
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import { type FollowedContext, LiveState } from '../model/live-state.ts';
import type { ClusterSource, Clusters } from './clusters.ts';

/** The ID of the element that `cappol ui` adds to the page. */
const MARK = 'live';
const EVENTS = 'events';
const LOST =
  'The connection to cappol ui is lost: this page may be out of date. If cappol ui still runs, the page connects again by itself. Otherwise start cappol ui again, and open the link that it prints.';
const REFUSED = 'cappol ui no longer answers this page. Start cappol ui again, and open the link that it prints.';

/** The clusters of a page that `cappol ui` serves. For every other page, the value is undefined. */
export function liveClusters(): ClusterSource | undefined {
  if (!document.getElementById(MARK)) return undefined;
  return (show) => follow(new EventSource(EVENTS), show);
}

function follow(source: EventSource, show: (clusters: Clusters) => void): void {
  const state = new LiveState();
  const on = <Content>(name: string, change: (content: Content) => void) =>
    source.addEventListener(name, ({ data }: MessageEvent<string>) => {
      change(JSON.parse(data));
      show(state.clusters());
    });
  on<readonly FollowedContext[]>('contexts', (contexts) => state.setContexts(contexts));
  on<Snapshot>('snapshot', (snapshot) => state.setSnapshot(snapshot));
  on<{ context: string; difference: Difference }>('difference', (change) => state.change(change));
  source.addEventListener('open', () => {
    state.lost = undefined;
    show(state.clusters());
  });
  source.addEventListener('error', () => {
    state.lost = source.readyState === EventSource.CLOSED ? REFUSED : LOST;
    show(state.clusters());
  });
  show(state.clusters());
}
