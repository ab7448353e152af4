/** Starts the page. */
import { render } from 'preact';
import { App } from './app.tsx';
import { type ClusterSource, NO_CLUSTERS } from './data/clusters.ts';
import { embeddedClusters } from './data/embedded.ts';
import { liveClusters } from './data/live.ts';
import { startWorker } from './worker/client.ts';

const nothing: ClusterSource = (show) => show(NO_CLUSTERS);

render(
  <App source={embeddedClusters() ?? liveClusters() ?? nothing} judge={startWorker()} />,
  document.getElementById('page') as Element,
);
