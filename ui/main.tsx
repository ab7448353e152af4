/** Starts the page. */
import { render } from 'preact';
import { App } from './app.tsx';
import { embeddedClusters } from './data/embedded.ts';
import { liveClusters } from './data/live.ts';
import { openedClusters } from './data/opened.ts';
import { startWorker } from './worker/client.ts';

const given = embeddedClusters() ?? liveClusters();
const opened = given ? undefined : openedClusters();

render(
  <App source={given ?? opened?.source} onOpen={opened?.open} worker={startWorker()} />,
  document.getElementById('page') as Element,
);
