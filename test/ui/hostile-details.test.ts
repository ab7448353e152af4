/** Tests the pages of single policies and workloads with texts that try to become part of the page. */
import assert from 'node:assert/strict';
import { violatingRows, workloadKey } from '../../ui/model/violating.ts';
import { CHROMIUM, seriousProblems } from '../support/browser.ts';
import { executedTexts } from '../support/executed.ts';
import { hostileSnapshot } from '../support/hostile-cluster.ts';
import { describeWith } from '../support/needs.ts';
import { usePage } from '../support/tested-page.ts';
import { settled } from '../support/views-of-page.ts';

const snapshot = hostileSnapshot();
const CONTROLS = /(?![\n\t])[\p{Cc}\p{Bidi_Control}\u2028\u2029\p{Cs}]/u;
const MOST = 6;

/** The text that the view writes last. When this text appears, the page is complete. */
const LAST = { policies: 'Rendered objects', violations: 'Fix' } as const;

const PLACES = [
  ...snapshot.policies
    .slice(0, MOST)
    .map(({ name }) => ({ view: 'policies' as const, parameters: `policy=${encodeURIComponent(name)}` })),
  ...[...new Set(violatingRows(snapshot).map(workloadKey))]
    .slice(0, MOST)
    .map((workload) => ({ view: 'violations' as const, parameters: `workload=${encodeURIComponent(workload)}` })),
];

describeWith(CHROMIUM, 'a policy and a workload with hostile texts', () => {
  const pages = usePage(() => [snapshot]);

  for (const [index, { view, parameters }] of PLACES.entries()) {
    it(`${view} ${index}: all of it is text, with control characters made visible`, async () => {
      const { page, requests } = await pages.open(`${pages.url}#/${view}?${parameters}`);
      await page.getByRole('heading', { name: LAST[view], exact: true }).waitFor();
      await settled(page);
      for (const summary of await page.locator('main details.fold > summary').all()) {
        if (await summary.isVisible()) await summary.click();
      }
      await settled(page);
      assert.doesNotMatch((await page.locator('main').textContent()) ?? '', CONTROLS);
      assert.deepEqual(await executedTexts(page), []);
      assert.equal(requests.length, 1);
      assert.deepEqual(await seriousProblems(page), []);
    });
  }
});
