import assert from 'node:assert/strict';
import fc from 'fast-check';
import { snapshotOf } from '../../cli/commands/snapshot/run.ts';
import { buildPage } from '../../config/release/page.ts';
import { arbitraryCluster } from '../snapshot/clusters.ts';
import { type Browser, CHROMIUM, openPage, pageFile, seriousProblems, startBrowser } from '../support/browser.ts';
import { describeWith } from '../support/needs.ts';

const RIGHTS = { forbidden: [], missing: [], judgeable: true, rbac: true };
const OPTIONS = { operatorNamespace: 'capabilitypolicy-system', excludedNamespaces: ['kube-system'], context: 'one' };

describeWith(CHROMIUM, 'the page', () => {
  let browser: Browser;
  let template: string;
  before(async () => {
    [browser, template] = await Promise.all([startBrowser(), buildPage()]);
  });
  after(() => browser?.close());

  it('opens from a file, without a request and without an error', async () => {
    const [cluster] = fc.sample(arbitraryCluster, { numRuns: 1, seed: 7 });
    assert.ok(cluster);
    const file = pageFile(template, [snapshotOf(cluster, RIGHTS, OPTIONS)]);
    try {
      const { page, errors, requests } = await openPage(browser, file.url);
      await page.getByRole('navigation').waitFor();
      await page.getByText('Kubernetes v1').waitFor();
      assert.deepEqual(await seriousProblems(page), []);
      assert.deepEqual(errors, []);
      assert.deepEqual(requests, [file.url]);
    } finally {
      file.remove();
    }
  });
});
