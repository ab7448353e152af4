/** Tests the view of the violations, and the fix of a single workload. */
import assert from 'node:assert/strict';
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import { brokenBy, filtered, sorted, violatingRows, workloadKey } from '../../ui/model/violating.ts';
import { createAnswers } from '../../ui/worker/answers.ts';
import { CHROMIUM, type Page } from '../support/browser.ts';
import { largeCluster } from '../support/large-cluster.ts';
import { describeWith } from '../support/needs.ts';
import { settledSnapshot } from '../support/settled-snapshot.ts';
import { usePage } from '../support/tested-page.ts';
import { settled } from '../support/views-of-page.ts';

const SIZES = { pods: 2_000, namespaces: 200, shapes: 40, policies: 20 };
const ALL = { namespace: '', policy: '', rule: '', result: '', text: '' };

describeWith(CHROMIUM, 'the view of the violations', () => {
  let snapshot: Snapshot;
  const answers = createAnswers();
  const pages = usePage(() => {
    snapshot = settledSnapshot(largeCluster(SIZES));
    answers.load(snapshot);
    return [snapshot];
  });

  async function open(address: string) {
    const { page } = await pages.open(`${pages.url}#${address}`);
    await page.getByText('Kubernetes v1').waitFor();
    await settled(page);
    return page;
  }

  async function names(page: Page): Promise<string[]> {
    const rows = await page.locator('.violations .row').all();
    return Promise.all(rows.map(async (row) => (await row.locator('> *').allInnerTexts()).slice(0, 5).join(' | ')));
  }

  function expected(rows: ReturnType<typeof violatingRows>): string[] {
    return rows.map(({ namespace, kind, name, effect, policies, rules }) =>
      [namespace, `${kind} ${name}`, effect, policies.join(', '), rules.join(', ')].join(' | '),
    );
  }

  it('lists each violating workload, refused workloads first, and has only a small part of the rows in the document', async () => {
    const rows = sorted(violatingRows(snapshot), '');
    const page = await open('/violations');
    assert.equal(await page.locator('.violations').getAttribute('aria-rowcount'), `${rows.length + 1}`);
    const shown = await names(page);
    assert.ok(rows.length > 500 && shown.length < 80, `${shown.length} of ${rows.length} rows are in the document`);
    assert.deepEqual(shown.slice(0, 10), expected(rows.slice(0, 10)));
  });

  it('filters and sorts by the address', async () => {
    const filter = { ...ALL, rule: 'hostNetwork', result: 'Warned' };
    const rows = sorted(filtered(violatingRows(snapshot), filter), '-workload');
    assert.ok(rows.length > 3);
    const page = await open('/violations?rule=hostNetwork&result=Warned&sort=-workload');
    assert.equal(await page.locator('.violations').getAttribute('aria-rowcount'), `${rows.length + 1}`);
    assert.deepEqual((await names(page)).slice(0, 4), expected(rows.slice(0, 4)));
    assert.equal(await page.getByRole('columnheader', { name: 'Workload' }).getAttribute('aria-sort'), 'descending');
  });

  it('a click on a heading sorts the rows, and a second click reverses the order', async () => {
    const page = await open('/violations');
    await page.getByRole('button', { name: 'Namespace' }).click();
    await settled(page);
    assert.deepEqual(
      (await names(page)).slice(0, 3),
      expected(sorted(violatingRows(snapshot), 'namespace').slice(0, 3)),
    );
    await page.getByRole('button', { name: 'Namespace' }).click();
    await settled(page);
    assert.deepEqual(
      (await names(page)).slice(0, 3),
      expected(sorted(violatingRows(snapshot), '-namespace').slice(0, 3)),
    );
  });

  it('with the keyboard alone, a user can see the reason for a violation and the diff of `cappol fix`', async () => {
    const rows = sorted(violatingRows(snapshot), '');
    const page = await open('/violations');
    await page.locator('.violations .row[tabindex="0"]').focus();
    for (let steps = 0; steps < 4; steps++) await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    const row = rows[4];
    assert.ok(row);
    await page.getByRole('heading', { name: `${row.kind} ${row.namespace}/${row.name}` }).waitFor();
    await page.locator('pre.diff').waitFor();
    const own = violatingRows(snapshot).filter((one) => workloadKey(one) === workloadKey(row));
    const broken = brokenBy(own, snapshot);
    assert.deepEqual(
      await page.locator('.broken tbody td:nth-child(2)').allInnerTexts(),
      broken.map(({ message }) => message),
    );
    const { namespace, kind, name } = row;
    const fix = answers.fix({ namespace, kind, name, paths: [] });
    assert.ok(fix && fix.diff !== '');
    assert.equal(await page.locator('pre.diff').textContent(), `${fix.diff}\n`);
    assert.equal(await page.locator('.edits tbody tr').count(), fix.edits.length);
    await page.getByRole('button', { name: 'Close' }).click();
    await settled(page);
    assert.equal(await page.locator('pre.diff').count(), 0);
  });

  it('copies the diff', async () => {
    const row = sorted(violatingRows(snapshot), '')[4];
    assert.ok(row);
    const page = await open(`/violations?workload=${encodeURIComponent(workloadKey(row))}`);
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.getByRole('button', { name: 'Copy the diff' }).click();
    await page.getByText('Copied', { exact: true }).waitFor();
    const { namespace, kind, name } = row;
    const copied = await page
      .locator('body')
      .evaluate((body) => body.ownerDocument.defaultView.navigator.clipboard.readText());
    assert.equal(copied, answers.fix({ namespace, kind, name, paths: [] })?.diff);
  });

  it('prints more rows than the window shows', async () => {
    const page = await open('/violations');
    const before = await page.locator('.violations .row').count();
    await page.emulateMedia({ media: 'print' });
    await settled(page);
    const after = await page.locator('.violations .row').count();
    assert.equal(after, Math.min(1_000, violatingRows(snapshot).length));
    assert.ok(after > before);
    // On paper, each row must be high enough for its text. If a row were too low, a text of several lines would cover
    // the next row.
    await page.setViewportSize({ width: 800, height: 1000 });
    await settled(page);
    const heights = await page
      .locator('.violations .row')
      .evaluateAll((all) => all.map(({ scrollHeight, clientHeight }) => scrollHeight - clientHeight));
    assert.ok(heights.length > 100 && heights.every((more) => more <= 1), `${heights}`);
  });

  it('if no row matches, the page offers to remove all filters', async () => {
    const page = await open('/violations?namespace=nobody');
    await page.getByRole('button', { name: 'Remove all filters' }).click();
    await settled(page);
    assert.ok((await page.locator('.violations .row').count()) > 10);
  });
});
