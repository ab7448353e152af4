/**
 * Tests findings about policies in a real Chromium: in the playground, in the list of policies, and on the page of a
 * policy.
 */
import assert from 'node:assert/strict';
import { dump } from 'js-yaml';
import { snapshotOf } from '../../cli/commands/snapshot/run.ts';
import { CHROMIUM, type OpenOptions, type Page, seriousProblems } from '../support/browser.ts';
import { editor, replace } from '../support/editors.ts';
import { walkByTab } from '../support/keyboard.ts';
import { describeWith } from '../support/needs.ts';
import { policy, writtenPolicy } from '../support/policies.ts';
import { ALL_RIGHTS, TAKING, takenSnapshot } from '../support/snapshots.ts';
import { usePage } from '../support/tested-page.ts';
import { clusterOf, wholeCluster } from '../support/views.ts';
import { settled } from '../support/views-of-page.ts';

const NETWORK = { overrides: { hostNetwork: true } };
const OPENS_NOTHING =
  'this exception opens nothing: for each user of policy net, policy all admits every pod that policy net admits; you can delete policy net';
const ALL = dump(writtenPolicy('all', NETWORK));
const NET = dump(writtenPolicy('net', { ...NETWORK, usableBy: 'Bindings' }));
const BOTH = `${ALL}---\n${NET}`;
/** A policy that opens something. */
const OTHER = NET.replace('hostNetwork', 'hostPID');
const THEMES: readonly OpenOptions[] = [{}, { colorScheme: 'dark', width: 390 }];

describeWith(CHROMIUM, 'findings in the playground', () => {
  const pages = usePage();

  async function open(policies: string, options: OpenOptions = {}): Promise<Page> {
    const { page } = await pages.open(`${pages.url}#/playground`, options);
    await page.locator('.play-item').first().waitFor();
    await replace(page, 'Policies', policies);
    return page;
  }
  const section = (page: Page) => page.getByRole('region', { name: 'Findings', exact: true });

  it('shows a finding with the words of cappol and the line of the policy, until an edit gives the policy an effect', async () => {
    const page = await open(BOTH);
    const item = section(page).getByRole('listitem');
    await item.waitFor();
    const line = BOTH.split('\n').indexOf('---') + 2;
    assert.equal(await item.textContent(), `Opens nothing line ${line} CapabilityPolicy net: ${OPENS_NOTHING}`);
    await page.getByRole('status').filter({ hasText: '1 finding about the policies' }).waitFor({ state: 'attached' });
    await item.getByRole('button').click();
    assert.equal(await editor(page, 'Policies').evaluate((element) => element.matches(':focus')), true);
    await replace(page, 'Policies', `${ALL}---\n${OTHER}`);
    await section(page).waitFor({ state: 'detached' });
  });

  it('while the text has an error, the page shows the earlier findings without line numbers', async () => {
    const page = await open(BOTH);
    await section(page).getByRole('button').waitFor();
    await replace(page, 'Policies', BOTH.replace('level: restricted', 'level: restrictd'));
    await section(page).getByText('before the error in their text').waitFor();
    assert.match((await section(page).textContent()) ?? '', /this exception opens nothing/);
    assert.equal(await section(page).getByRole('button').count(), 0);
    await replace(page, 'Policies', BOTH);
    await section(page).getByRole('button').waitFor();
  });

  it('the findings take no space if no finding exists', async () => {
    const page = await open(ALL);
    await settled(page, 600);
    assert.equal(await section(page).count(), 0);
    const bottomOf = (selector: string) =>
      page.locator(selector).evaluate((element) => element.getBoundingClientRect().bottom);
    assert.equal(await bottomOf('.playground'), await bottomOf('.play-results'));
  });

  it('is shown beside a comparison, too', async () => {
    const page = await open(BOTH);
    await page.getByLabel('Compare').check();
    await page.locator('.play-summary').first().waitFor();
    await section(page).waitFor();
  });

  it('the findings can be used by keyboard, and have no serious accessibility problem in either theme', async () => {
    for (const options of THEMES) {
      const page = await open(BOTH, options);
      await section(page).getByRole('button').waitFor();
      await settled(page);
      assert.deepEqual(await seriousProblems(page), []);
      await assertFits(page);
      const { missed, trap } = await walkByTab(page);
      assert.deepEqual([missed, trap], [[], undefined]);
    }
  });
});

const POLICIES = [
  policy('all', NETWORK),
  policy('net', { ...NETWORK, usableBy: 'Bindings' }),
  policy('old', { priority: -1 }),
  policy('other', { overrides: { hostPID: true }, usableBy: 'Bindings' }),
];

describeWith(CHROMIUM, 'findings about the policies of a cluster', () => {
  const cluster = wholeCluster(clusterOf([]), POLICIES, []);
  const pages = usePage(() => [takenSnapshot(cluster)]);

  async function open(address: string, options: OpenOptions = {}, url = pages.url): Promise<Page> {
    const { page } = await pages.open(`${url}#${address}`, options);
    await page.getByText('Kubernetes v1').waitFor();
    await settled(page);
    return page;
  }

  it('the list shows findings below their policies, with links to the policies that cause the findings', async () => {
    const page = await open('/policies');
    await page.locator('.findings-row').first().waitFor();
    const rows = await page.locator('table.policies tbody tr').all();
    const shown = await Promise.all(rows.map((row) => row.locator('th, td[colspan]').allTextContents()));
    assert.deepEqual(shown.flat(), [
      'all',
      'net',
      `Opens nothing T${OPENS_NOTHING.slice(1)}.`,
      'old',
      'Decides nowhere This policy decides nowhere: policy other, which has a higher priority, decides in every namespace that it selects; delete this policy, or raise its priority of -1.',
      'other',
    ]);
    await page.getByRole('status').filter({ hasText: '4 policies, 2 with findings' }).waitFor();
    const links = page.locator('.findings-row').first().getByRole('link');
    assert.deepEqual(await links.allTextContents(), ['all']);
  });

  it('the page of a policy shows its findings, and a finding leads to the other policy by keyboard', async () => {
    const page = await open('/policies?policy=net');
    const section = page.getByRole('region', { name: 'Findings' });
    await section.waitFor();
    assert.equal(await section.getByRole('listitem').textContent(), `Opens nothing T${OPENS_NOTHING.slice(1)}.`);
    await section.getByRole('link', { name: 'all' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: /^all/ }).waitFor();
    assert.match(page.url(), /policies\?.*policy=all/);
    await settled(page);
    assert.equal(await section.count(), 0);
  });

  it('are found by the filter', async () => {
    const page = await open('/policies');
    await page.locator('.findings-row').first().waitFor();
    await page.getByRole('searchbox', { name: 'Filter' }).fill('decides nowhere');
    await page.waitForURL(/text=/);
    await settled(page);
    assert.deepEqual(await page.locator('table.policies tbody th').allInnerTexts(), ['old']);
  });

  it('the page shows no findings if the policies represent levels, because nobody can delete such policies', async () => {
    const rights = { ...ALL_RIGHTS, installed: false };
    const url = pages.fileOf([snapshotOf(cluster, rights, TAKING)]);
    const page = await open('/policies', {}, url);
    await page.locator('table.policies').waitFor();
    await settled(page, 600);
    assert.equal(await page.locator('.findings-row').count(), 0);
  });

  it('the findings have no serious accessibility problem in either theme, and fit a narrow window', async () => {
    for (const options of THEMES) {
      const page = await open('/policies', options);
      const list = page.locator('.findings-row .findings').first();
      await list.waitFor();
      assert.deepEqual(await seriousProblems(page), []);
      await assertFits(page);
      const { x = 0, width = 0 } = (await list.boundingBox()) ?? {};
      assert.ok(x >= 0 && x + width <= (options.width ?? 1280), `from ${x}, ${width} wide`);
      const { missed, trap } = await walkByTab(page);
      assert.deepEqual([missed, trap], [[], undefined]);
    }
  });
});

async function assertFits(page: Page): Promise<void> {
  const width = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
  assert.ok(width <= 0, `${width} pixels too wide`);
}
