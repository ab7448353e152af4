/** Tests the page of `cappol ui` in a real Chromium. The command `cappol ui` serves the page. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import { snapshotOf } from '../../cli/commands/snapshot/run.ts';
import { Feed } from '../../cli/commands/ui/feed.ts';
import { type PageServer, servePage } from '../../cli/commands/ui/server.ts';
import { type LivePage, livePage } from '../../cli/page/live-page.ts';
import { buildPage } from '../../config/release/page.ts';
import { arbitraryCluster } from '../snapshot/clusters.ts';
import { type Browser, CHROMIUM, openPage, startBrowser } from '../support/browser.ts';
import { describeWith } from '../support/needs.ts';
import { ALL_RIGHTS } from '../support/snapshots.ts';

const OPTIONS = { operatorNamespace: 'capabilitypolicy-system', excludedNamespaces: ['kube-system'] };

describeWith(CHROMIUM, 'the live page', () => {
  let browser: Browser;
  let page: LivePage;
  let server: PageServer;
  const contexts: { context: string; snapshot?: Snapshot; problem?: string }[] = [];
  const feed = new Feed(contexts);
  const served = () => ({ page, events: (signal: AbortSignal) => feed.events(signal) });

  before(async () => {
    const [started, template] = await Promise.all([startBrowser(), buildPage()]);
    [browser, page] = [started, livePage(template)];
    server = await servePage(served(), 0);
  });
  after(async () => {
    await Promise.all([browser?.close(), server?.close()]);
  });

  function taken(context: string): Snapshot {
    const [cluster] = fc.sample(arbitraryCluster, { numRuns: 1, seed: 7 });
    assert.ok(cluster);
    return snapshotOf(cluster, ALL_RIGHTS, { ...OPTIONS, context });
  }

  it('the page shows the clusters and each change, and says when the data may be out of date', async () => {
    contexts.push({ context: 'one' }, { context: 'two' });
    const link = new URL(server.link);
    const { page: shown, errors, requests } = await openPage(browser, link.href);
    await shown.getByText('Reading one, two').waitFor();
    assert.equal(shown.url().includes('token'), false);

    contexts[0] = { context: 'one', snapshot: taken('one') };
    contexts[1] = { context: 'two', problem: 'cannot reach the cluster' };
    feed.update();
    await shown.getByText('Kubernetes v1').waitFor();
    await shown.getByText('two: cannot reach the cluster').waitFor();

    contexts[0] = { context: 'one', snapshot: { ...taken('one'), serverVersion: 'v1.29' } };
    contexts[1] = { context: 'two', snapshot: taken('two') };
    feed.update();
    await shown.getByText('Kubernetes v1.29').waitFor();
    await shown.getByRole('combobox', { name: 'Cluster' }).selectOption('two');
    await shown.getByText('two: cannot reach the cluster').waitFor({ state: 'detached' });

    contexts[1] = { ...contexts[1], context: 'two', problem: 'Pod: following interrupted' };
    feed.update();
    await shown.getByText('Pod: following interrupted').waitFor();

    assert.deepEqual(errors, []);
    assert.deepEqual([...new Set(requests.map((url) => new URL(url).origin))], [link.origin]);

    await server.close();
    await shown.getByText('The connection to cappol ui is lost').waitFor();
    // If a new server runs at the same address, the server has another session.
    server = await servePage(served(), Number(link.port));
    await shown.getByText('Start cappol ui again, and open the link that it prints').waitFor();
    assert.ok((await shown.getByText('Kubernetes v1').count()) > 0);
    await shown.close();
  });

  it('is shown again after a reload', async () => {
    const { page: shown } = await openPage(browser, server.link);
    await shown.getByText('Kubernetes v1').waitFor();
    await shown.reload();
    await shown.getByText('Kubernetes v1').waitFor();
    await shown.close();
  });
});
