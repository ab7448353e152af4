/**
 * Tests a large cluster in the page: the time until the page shows the cluster, the scrolling, and the used memory. The
 * test prints the measurements.
 */
import assert from 'node:assert/strict';
import { CHROMIUM, openPage, type Page } from '../support/browser.ts';
import { cpuOfRow, longest, mainThreadTasks, memoryOf, type Task, totalCpu } from '../support/browser-trace.ts';
import { LARGE } from '../support/large-cluster.ts';
import { leastOf } from '../support/measured.ts';
import { describeWith } from '../support/needs.ts';
import { largeSnapshot } from '../support/settled-snapshot.ts';
import { usePage } from '../support/tested-page.ts';
import { goTo, settled, VIEWS, viewNamed } from '../support/views-of-page.ts';

/**
 * The maximum CPU time for a view, and for a frame. The limits are numbers of rows. Drawing this number of rows of
 * plain text takes the maximum time. If a machine draws a row in 0.02 ms, the limits are 2,000 ms and 50 ms.
 */
const ROWS_FOR_VIEW = 100_000;
const ROWS_FOR_FRAME = 2_500;
const MOST_MEGABYTES = 500;

/** The name of a policy of the large cluster. */
const EVERYWHERE = 'restricted-everywhere';

const WHEEL_TURNS = 40;
const WHEEL_PIXELS = 600;

describeWith(CHROMIUM, `${LARGE.pods} pods in the page`, () => {
  const pages = usePage(() => [largeSnapshot()]);
  let page: Page;

  it(`are shown with less CPU than ${ROWS_FOR_VIEW} rows of text`, async () => {
    ({ page } = await openPage(pages.browser, 'about:blank'));
    const tasks = await mainThreadTasks(pages.browser, page, async () => {
      await page.goto(pages.url);
      await page.getByText('Kubernetes v1').waitFor();
      await nextFrame(page);
    });
    report('first view', tasks);
    await settled(page);
    await costsLess(totalCpu(tasks), ROWS_FOR_VIEW);
  });

  for (const view of VIEWS) {
    it(`are shown by ${view.name} with less CPU than ${ROWS_FOR_VIEW} rows of text`, async () => {
      const tasks = await mainThreadTasks(pages.browser, page, () => goTo(page, view));
      report(`${view.name} opened`, tasks);
      await costsLess(totalCpu(tasks), ROWS_FOR_VIEW);
    });

    it(`scroll in ${view.name} without a task that costs as much CPU as ${ROWS_FOR_FRAME} rows of text`, async () => {
      await goTo(page, view);
      const limit = ROWS_FOR_FRAME * (await cpuOfRow(pages.browser));
      console.log(`      at most ${limit.toFixed(0)} ms`);
      const cpu = await leastOf(limit, async () => {
        const tasks = await mainThreadTasks(pages.browser, page, () => scroll(page));
        report(`${view.name} scrolled`, tasks);
        return longest(tasks).cpu;
      });
      assert.ok(cpu < limit, `${cpu} ms, and at most ${limit} ms`);
    });
  }

  it('the playground shows the changes that a policy would make', async () => {
    await goTo(page, viewNamed('playground'));
    const answer = page.getByLabel('Changes in the cluster');
    const asked = Date.now();
    await page.getByLabel('Policy of the cluster').selectOption(EVERYWHERE);
    await answer.filter({ hasText: EVERYWHERE }).waitFor();
    console.log(`      first answer about ${EVERYWHERE}: ${Date.now() - asked} ms on the clock`);
  });

  it(`take less than ${MOST_MEGABYTES} MB of memory after all views were shown, and a policy was tried`, async () => {
    const memory = await memoryOf(pages.browser, page);
    console.log(
      `      memory: ${memory.process.toFixed(0)} MB, ${memory.page.toFixed(0)} MB of them objects of the page`,
    );
    assert.ok(memory.process < MOST_MEGABYTES, `${memory.process} MB`);
  });

  /**
   * Compares a cost with the cost of drawing rows.
   * @param cpu the CPU time in ms
   */
  async function costsLess(cpu: number, rows: number): Promise<void> {
    const limit = rows * (await cpuOfRow(pages.browser));
    console.log(`      at most ${limit.toFixed(0)} ms`);
    assert.ok(cpu < limit, `${cpu} ms, and at most ${limit} ms`);
  }
});

/** Scrolls the longest list of the view to its end and back. */
async function scroll(page: Page): Promise<void> {
  const box = await page.locator('.rows, main').last().boundingBox();
  await page.mouse.move((box?.x ?? 0) + 200, (box?.y ?? 0) + 100);
  for (const direction of [1, -1]) {
    for (let turn = 0; turn < WHEEL_TURNS; turn++) {
      await page.mouse.wheel(0, direction * WHEEL_PIXELS);
      await nextFrame(page);
    }
  }
}

async function nextFrame(page: Page): Promise<void> {
  await page.locator('body').evaluate(
    (body) =>
      new Promise<void>((resolve) => {
        body.ownerDocument.defaultView.requestAnimationFrame(() => resolve());
      }),
  );
}

function report(what: string, tasks: readonly Task[]): void {
  const { cpu, wall } = longest(tasks);
  const total = totalCpu(tasks).toFixed(0);
  console.log(
    `      ${what}: ${total} ms of CPU, longest task ${cpu.toFixed(0)} ms (${wall.toFixed(0)} ms on the clock)`,
  );
}
