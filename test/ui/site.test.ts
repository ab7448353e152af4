/** Tests the static site: the playground without a cluster, and snapshots that a user opens from files. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { buildPage } from '../../config/release/page.ts';
import { type Browser, CHROMIUM, openPage, seriousProblems, startBrowser } from '../support/browser.ts';
import { largeCluster } from '../support/large-cluster.ts';
import { describeWith } from '../support/needs.ts';
import { settledSnapshot } from '../support/settled-snapshot.ts';

const MOST_BYTES = 2 * 1024 * 1024;

describeWith(CHROMIUM, 'the static site', () => {
  let browser: Browser;
  let folder: string;
  let site: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'site-'));
    site = await buildPage("'none'");
    writeFileSync(join(folder, 'index.html'), site);
    const cluster = largeCluster({ pods: 40, namespaces: 4, shapes: 5, policies: 3 });
    const snapshot = JSON.stringify(settledSnapshot(cluster, 'opened'));
    writeFileSync(join(folder, 'snapshot.json.gz'), gzipSync(snapshot));
    writeFileSync(join(folder, 'pod.yaml'), 'kind: Pod');
    browser = await startBrowser();
  });
  after(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
  });

  it('the site is smaller than 2 MB, and its Content Security Policy forbids all connections', () => {
    assert.ok(Buffer.byteLength(site) < MOST_BYTES, `${Buffer.byteLength(site)} bytes`);
    assert.match(site, /connect-src 'none'/);
  });

  it('the site begins with the playground, and opens a snapshot from a file', async () => {
    const url = pathToFileURL(join(folder, 'index.html')).href;
    const { page, errors, requests } = await openPage(browser, url);
    await page.locator('.play-item').first().waitFor();
    assert.deepEqual(await seriousProblems(page), []);
    const chooser = page.getByLabel('Open a snapshot file');
    await chooser.setInputFiles(join(folder, 'pod.yaml'));
    await page.getByText('pod.yaml: The file is not JSON').waitFor();
    await chooser.setInputFiles(join(folder, 'snapshot.json.gz'));
    await page.getByText('Kubernetes v1').waitFor();
    await page.getByRole('link', { name: 'Playground' }).click();
    await page.getByText('If you applied these policies to opened').waitFor();
    await page.getByText('ping selects no namespace of the cluster').waitFor();
    assert.deepEqual(errors, []);
    assert.deepEqual(requests, [url]);
  });
});
