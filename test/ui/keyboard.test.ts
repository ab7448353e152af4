/** Tests that every control on the page can be reached and left with the keyboard. */
import assert from 'node:assert/strict';
import { CHROMIUM, openPage, type Page } from '../support/browser.ts';
import { walkByTab } from '../support/keyboard.ts';
import { largeCluster } from '../support/large-cluster.ts';
import { describeWith } from '../support/needs.ts';
import { settledSnapshot } from '../support/settled-snapshot.ts';
import { usePage } from '../support/tested-page.ts';
import { goTo, settled, VIEWS } from '../support/views-of-page.ts';

describeWith(CHROMIUM, 'the page by keyboard', () => {
  const pages = usePage(() => [
    settledSnapshot(largeCluster({ pods: 400, namespaces: 40, shapes: 60, policies: 30 }), 'usual'),
  ]);
  let page: Page;
  before(async () => {
    ({ page } = await openPage(pages.browser, pages.url));
  });

  it('the first control moves the focus past the navigation into the view, and does not change the address', async () => {
    await goTo(page, VIEWS.at(-1) as (typeof VIEWS)[number]);
    const before = page.url();
    await page.locator('.skip').focus();
    await page.keyboard.press('Enter');
    assert.equal(await page.locator(':focus').getAttribute('id'), 'view');
    assert.equal(page.url(), before);
  });

  for (const view of VIEWS) {
    it(`reaches and leaves each control of ${view.name} by Tab`, async () => {
      await goTo(page, view);
      const { stops, missed, trap } = await walkByTab(page);
      assert.equal(trap, undefined);
      assert.deepEqual(missed, []);
      assert.ok(stops > VIEWS.length, `${stops} stops`);
    });

    it(`reaches each row of the lists of ${view.name} by arrow keys`, async () => {
      await goTo(page, view);
      for (const list of await page.locator('.rows').all()) {
        const rows = Number(await list.getAttribute('aria-rowcount'));
        await list.locator('[tabindex="0"]').first().focus();
        await page.keyboard.press('Control+End');
        await settled(page);
        const row = page.locator('[role="row"]:focus, [role="row"]:has(:focus)');
        assert.equal(Number(await row.getAttribute('aria-rowindex')), rows);
        await page.keyboard.press('Control+Home');
        await settled(page);
        await page.keyboard.press('ArrowDown');
        const index = Number(await row.getAttribute('aria-rowindex'));
        assert.ok(index > 1 && index < rows, `${index} of ${rows}`);
      }
    });
  }

  describe('in the list of violations', () => {
    const list = () => page.locator('.violations');
    const chosen = () => list().locator('[aria-pressed="true"]');
    beforeEach(async () => {
      await goTo(page, VIEWS.find(({ name }) => name === 'violations') as (typeof VIEWS)[number]);
    });

    it('Enter on a heading sorts the list, and opens no row', async () => {
      const heading = list().getByRole('button', { name: 'Pods' });
      await heading.focus();
      await page.keyboard.press('Enter');
      await settled(page);
      assert.match(page.url(), /sort=pods/);
      assert.equal(await chosen().count(), 0);
    });

    it('Enter opens the focused row, even if rows above the focused row were added or removed', async () => {
      const row = list().getByRole('row').nth(6);
      await row.focus();
      const [namespace, workload] = await row.getByRole('rowheader').or(row.getByRole('button')).allTextContents();
      await page.evaluate(`location.hash += '?text=' + ${JSON.stringify(namespace)}`);
      await settled(page);
      const focused = page.locator(':focus');
      assert.notEqual(await focused.getAttribute('aria-rowindex'), '7');
      assert.equal(await focused.getByRole('button').textContent(), workload);
      await page.keyboard.press('Enter');
      await chosen().first().waitFor();
      assert.equal(await chosen().first().textContent(), workload);
    });
  });
});
