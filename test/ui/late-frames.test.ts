/**
 * Tests the page on a busy machine. Frames and timers are late on a busy machine. The page must still react at once.
 */
import assert from 'node:assert/strict';
import { CHROMIUM, type Page } from '../support/browser.ts';
import { largeCluster } from '../support/large-cluster.ts';
import { describeWith } from '../support/needs.ts';
import { settledSnapshot } from '../support/settled-snapshot.ts';
import { usePage } from '../support/tested-page.ts';

const SMALL = { pods: 20, namespaces: 4, shapes: 4, policies: 4 };
const LATE_MS = 1_000;

describeWith(CHROMIUM, 'the page with late frames', () => {
  const pages = usePage(() => [settledSnapshot(largeCluster(SMALL), 'small')]);

  async function open(fragment: string): Promise<Page> {
    const { page } = await pages.open(pages.url + fragment, { lateMs: LATE_MS });
    return page;
  }

  it('follows a link before its first frame', async () => {
    const page = await open('');
    // A dispatched event does not wait for frames. A click of Playwright waits for frames.
    await page.getByRole('link', { name: 'Violations', exact: true }).dispatchEvent('click');
    await page.locator('main[aria-label="Violations"]').waitFor();
  });

  it('a line number moves the focus into the text of the playground, and the lines are marked when the verdict appears', async () => {
    const page = await open('#/playground');
    const line = page
      .locator('.play-item')
      .getByRole('button', { name: /^line / })
      .first();
    await line.waitFor();
    const text = page.getByRole('textbox', { name: /^Pods.*YAML/ });
    assert.ok((await text.locator('.marked-error').count()) > 0);
    await line.dispatchEvent('click');
    assert.equal(await text.evaluate((element) => element.matches(':focus')), true);
  });
});
