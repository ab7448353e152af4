import assert from 'node:assert/strict';
import fc from 'fast-check';
import { snapshotOf } from '../../cli/commands/snapshot/run.ts';
import { arbitraryCluster } from '../snapshot/clusters.ts';
import { CHROMIUM, seriousProblems } from '../support/browser.ts';
import { describeWith } from '../support/needs.ts';
import { ALL_RIGHTS } from '../support/snapshots.ts';
import { usePage } from '../support/tested-page.ts';

const OPTIONS = { operatorNamespace: 'capabilitypolicy-system', excludedNamespaces: ['kube-system'], context: 'one' };

/** A script that records each view that appears in the document. */
const NOTES_VIEWS = `
  const seen = (globalThis.seen = []);
  new MutationObserver(() => {
    const view = document.querySelector('main')?.getAttribute('aria-label');
    if (view && seen.at(-1) !== view) seen.push(view);
  }).observe(document, { subtree: true, childList: true, attributes: true });
`;

describeWith(CHROMIUM, 'the page', () => {
  const pages = usePage(() => {
    const [cluster] = fc.sample(arbitraryCluster, { numRuns: 1, seed: 7 });
    assert.ok(cluster);
    return [snapshotOf(cluster, ALL_RIGHTS, OPTIONS)];
  });

  it('opens from a file, without a request and without an error', async () => {
    const { page, errors, requests } = await pages.open(pages.url);
    await page.getByRole('navigation').waitFor();
    await page.getByText('Kubernetes v1').waitFor();
    assert.deepEqual(await seriousProblems(page), []);
    assert.deepEqual(errors, []);
    assert.deepEqual(requests, [pages.url]);
  });

  it('begins with the overview, and creates the editors of the playground only when their data has arrived', async () => {
    const page = await pages.browser.newPage();
    await page.addInitScript(NOTES_VIEWS);
    await page.goto(pages.url);
    await page.getByText('Kubernetes v1').waitFor();
    assert.deepEqual(await page.evaluate('seen'), ['Overview']);
    await page.close();
  });
});
