/** Tests the map of capabilities in a real Chromium. The tests cover keys, filters, CSV and printing. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import { csvText } from '../../analysis/text/csv.ts';
import { capabilityMap } from '../../ui/model/capability-map.ts';
import { HELD } from '../../ui/model/holding.ts';
import { questionOf } from '../../ui/model/map-question.ts';
import { filterMap } from '../../ui/model/map-rows.ts';
import { csvRows } from '../../ui/model/map-text.ts';
import { CHROMIUM, type OpenOptions, type Page, seriousProblems } from '../support/browser.ts';
import { largeCluster } from '../support/large-cluster.ts';
import { describeWith } from '../support/needs.ts';
import { settledSnapshot } from '../support/settled-snapshot.ts';
import { usePage } from '../support/tested-page.ts';
import { settled } from '../support/views-of-page.ts';

describeWith(CHROMIUM, 'the map of capabilities in the page', () => {
  let snapshot: Snapshot;
  const pages = usePage(() => {
    snapshot = settledSnapshot(largeCluster({ pods: 6_000, namespaces: 300, shapes: 20, policies: 9 }), 'usual');
    return [snapshot];
  });

  async function open(query = '', options: OpenOptions = {}): Promise<Page> {
    const { page } = await pages.open(`${pages.url}#/capabilities${query}`, options);
    await page.getByRole('treegrid').waitFor();
    return page;
  }

  function filtered(query: string) {
    const { filter, order, runtime } = questionOf(Object.fromEntries(new URLSearchParams(query)));
    return filterMap(capabilityMap(snapshot, runtime), filter, order);
  }

  const focused = (page: Page) => page.locator(':focus');
  const detail = (page: Page) => page.locator('.detail').textContent();

  it('the arrow keys move from row to row, expand a row, and read the cells of the row', async () => {
    const page = await open('?sort=name');
    await page.locator('.row[tabindex="0"]').focus();
    assert.equal(await focused(page).getAttribute('aria-rowindex'), '3');
    await page.keyboard.press('ArrowDown');
    assert.equal(await focused(page).getAttribute('aria-rowindex'), '4');
    assert.equal(await focused(page).getAttribute('aria-expanded'), 'false');
    await page.keyboard.press('ArrowRight');
    assert.equal(await focused(page).getAttribute('aria-expanded'), 'true');
    await page.keyboard.press('ArrowDown');
    assert.equal(await focused(page).getAttribute('aria-level'), '2');
    for (let key = 0; key < 3; key++) await page.keyboard.press('ArrowRight');
    // The first key has expanded the workload. The other two keys have moved the focus to the column with the
    // violations.
    assert.equal(await focused(page).getAttribute('aria-colindex'), '2');
    await page.keyboard.press('ArrowRight');
    assert.match((await focused(page).getAttribute('aria-label')) ?? '', /^SYS_ADMIN: /);
    assert.match(
      (await detail(page)) ?? '',
      /SYS_ADMIN[\s\S]*It permits a process to mount file systems, enter namespaces/,
    );
    await page.keyboard.press('End');
    assert.match((await focused(page).getAttribute('aria-label')) ?? '', /^BLOCK_SUSPEND: /);
    await page.keyboard.press('ArrowDown');
    assert.equal(await focused(page).getAttribute('aria-colindex'), '43');
    await page.keyboard.press('Control+Home');
    assert.equal(await page.locator('.row:has(:focus)').getAttribute('aria-rowindex'), '3');
  });

  it('the focus stays on a row that is scrolled out of view', async () => {
    const page = await open('?sort=name');
    await settled(page);
    await page.locator('.row[tabindex="0"]').focus();
    const box = await page.getByRole('treegrid').boundingBox();
    await page.mouse.move((box?.x ?? 0) + 100, (box?.y ?? 0) + 300);
    await page.mouse.wheel(0, 4_000);
    await page.locator('.row[aria-rowindex="170"]').waitFor();
    assert.equal(await focused(page).getAttribute('aria-rowindex'), '3');
    await page.keyboard.press('End');
    assert.equal(await focused(page).getAttribute('aria-rowindex'), '302');
    assert.ok(await focused(page).isVisible());
  });

  it('the document has only the visible rows, and says how many rows exist', async () => {
    const page = await open();
    await page.getByRole('button', { name: 'Expand all' }).click();
    const count = Number(await page.getByRole('treegrid').getAttribute('aria-rowcount'));
    assert.ok(count > 2_000, `${count} rows`);
    assert.ok((await page.locator('.row').count()) < 80);
  });

  it('the address contains the filters, and the page shows the same rows when the address is opened again', async () => {
    let page = await open();
    await page.getByRole('combobox', { name: 'Capability' }).selectOption('NET_ADMIN');
    await page.getByLabel('Added').check();
    await page.getByLabel('Namespace, workload or container').fill('production');
    const { namespaces, workloads } = filtered('capability=NET_ADMIN&held=added&text=production');
    assert.ok(workloads > 0);
    const count = `${workloads} workloads in ${namespaces.length} namespaces`;
    await page.getByText(count, { exact: true }).waitFor();
    const address = new URL(page.url()).hash;
    assert.match(address, /capability=NET_ADMIN/);
    assert.match(address, /held=added/);
    assert.match(address, /text=production/);
    page = await open(address.replace('#/capabilities', ''));
    await page.getByText(count, { exact: true }).waitFor();
    await page.getByRole('button', { name: /^capability: NET_ADMIN/ }).click();
    assert.doesNotMatch(page.url(), /NET_ADMIN/);
    await page.getByRole('button', { name: 'Remove all filters' }).click();
    await page.getByText('300 namespaces').waitFor();
    assert.doesNotMatch(page.url(), /held|text/);
  });

  it('if no workload matches, the page shows a message and offers to remove all filters', async () => {
    const { page } = await pages.open(`${pages.url}#/capabilities?text=no-such-name`);
    await page.getByText('No workload matches these filters.').waitFor();
    await page.getByRole('button', { name: 'Remove all filters' }).click();
    await page.getByRole('treegrid').waitFor();
  });

  it('sorts by name and by violations', async () => {
    const page = await open('?sort=name');
    const first = () => page.locator('.row[aria-rowindex="3"] .name').textContent();
    assert.equal(await first(), filtered('sort=name').namespaces[0]?.namespace.name);
    await page.getByLabel('Sorted by').selectOption('violations');
    await settled(page);
    assert.equal(await first(), filtered('sort=violations').namespaces[0]?.namespace.name);
  });

  it('a change of the container runtime changes the capabilities that are given by default', async () => {
    const page = await open('?capability=NET_RAW&held=default');
    await page.getByLabel('Container runtime').selectOption('CRI-O');
    await page.getByText('No workload matches these filters.').waitFor();
  });

  it('saves as CSV what the filter leaves', async () => {
    const page = await open('?held=privileged');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download CSV' }).click(),
    ]);
    assert.equal(download.suggestedFilename(), 'capabilities-usual.csv');
    const text = readFileSync(await download.path(), 'utf8');
    assert.equal(text, csvText(csvRows(filtered('held=privileged'))));
    assert.ok(text.split('\r\n').length > 10);
  });

  it('with evidence, the page offers a filter for held but unused capabilities, and dims these capabilities', async () => {
    const whole = await open();
    assert.equal(await whole.getByLabel('Not used, as far as was observed').count(), 0);
    const { namespaces } = capabilityMap(snapshot, 'containerd');
    const places = namespaces.flatMap(({ name, workloads }) => workloads.map((workload) => ({ name, workload })));
    const place = places.find(({ workload }) => workload.content.how.includes(HELD.byDefault));
    const namespace = snapshot.namespaces.find(({ name }) => name === place?.name);
    assert.ok(place && namespace);
    const { kind, name, content } = place.workload;
    const used = content.containers.map((one) => ({ kind, name, container: one.name, used: [] }));
    const observed = pages.fileOf([{ ...snapshot, namespaces: [{ ...namespace, used }] }]);
    const { page } = await pages.open(`${observed}#/capabilities?sort=name`);
    await page.getByLabel('Not used, as far as was observed').check();
    await page.getByText('1 workload in 1 namespace').waitFor();
    assert.ok((await page.locator('.row .unused').count()) > 0);
  });

  it('prints all rows of the filter up to a limit, and prints a note if the limit cuts rows', async () => {
    const page = await open();
    await page.emulateMedia({ media: 'print' });
    await page.locator('.row').nth(299).waitFor({ state: 'attached' });
    assert.equal(await page.locator('.row').count(), 300);
    assert.equal(await page.locator('.cut').count(), 0);
    await page.emulateMedia({ media: 'screen' });
    await page.getByRole('button', { name: 'Expand all' }).click();
    await page.emulateMedia({ media: 'print' });
    await page.getByText(/The first 1,000 of [\d,]+ rows are printed\./).waitFor();
    assert.equal(await page.locator('.row').count(), 1_000);
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`has nothing that axe calls serious, ${colorScheme}, expanded, with a filter and a focused cell`, async () => {
      const page = await open('?held=added', { colorScheme });
      await page.getByRole('button', { name: 'Expand all' }).click();
      await page.locator('.row[tabindex="0"]').focus();
      for (let key = 0; key < 4; key++) await page.keyboard.press('ArrowRight');
      assert.deepEqual(await seriousProblems(page), []);
    });
  }

  it('fits a window of 700 pixels, and only the map scrolls sideways', async () => {
    const page = await open('', { width: 700 });
    assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 700);
    const grid = page.getByRole('treegrid');
    assert.ok(Number(await grid.evaluate((element) => element.scrollWidth - element.clientWidth)) > 100);
  });
});
