/** Each view with a usual, a hostile and a large cluster, light and dark. */
import assert from 'node:assert/strict';
import { visibleControls } from '../../cli/output/printable.ts';
import { buildPage } from '../../config/release/page.ts';
import type { Snapshot } from '../../operator/snapshot/document.ts';
import {
  type Browser,
  CHROMIUM,
  type OpenedPage,
  openPage,
  pageFile,
  seriousProblems,
  startBrowser,
} from '../support/browser.ts';
import { executedTexts } from '../support/executed.ts';
import { HOSTILE_TEXTS, hostileSnapshot } from '../support/hostile-cluster.ts';
import { largeCluster } from '../support/large-cluster.ts';
import { describeWith } from '../support/needs.ts';
import { settledSnapshot } from '../support/settled-snapshot.ts';
import { goTo, settled, VIEWS } from '../support/views-of-page.ts';

const USUAL = { pods: 120, namespaces: 12, shapes: 30, policies: 20 };

const CLUSTERS: Readonly<Record<string, () => readonly Snapshot[]>> = {
  usual: () => [settledSnapshot(largeCluster(USUAL), 'usual')],
  // Two contexts: the choice of the cluster shows their names.
  hostile: () => [hostileSnapshot(), hostileSnapshot(HOSTILE_TEXTS[2])],
  large: () => [settledSnapshot(largeCluster(), 'large')],
};

const MOST_CONTROLS = 30;

const SCHEMES = ['light', 'dark'] as const;

describeWith(CHROMIUM, 'the views of the page', () => {
  let browser: Browser;
  let template: string;
  before(async () => {
    [browser, template] = await Promise.all([startBrowser(), buildPage()]);
  });
  after(() => browser?.close());

  it('are those of the navigation', async () => {
    const file = pageFile(template, CLUSTERS.usual?.() ?? []);
    const { page } = await openPage(browser, file.url);
    const links = await page.getByRole('navigation', { name: 'Views' }).getByRole('link').allInnerTexts();
    assert.deepEqual(
      links,
      VIEWS.map(({ title }) => title),
    );
    await page.close();
    file.remove();
  });

  for (const [name, snapshots] of Object.entries(CLUSTERS)) {
    describe(`with a ${name} cluster`, () => {
      let file: ReturnType<typeof pageFile>;
      before(() => {
        file = pageFile(template, snapshots());
      });
      after(() => file?.remove());

      for (const colorScheme of SCHEMES) {
        describe(colorScheme, () => {
          let opened: OpenedPage;
          before(async () => {
            opened = await openPage(browser, file.url, { colorScheme });
            await opened.page.getByText('Kubernetes v1').waitFor({ timeout: 60_000 });
          });
          after(() => opened?.page.close());

          for (const view of VIEWS) {
            it(`${view.name} has no error, no request, nothing executed and nothing that axe calls serious`, async () => {
              const { page, errors, requests } = opened;
              await goTo(page, view);
              assert.deepEqual(errors, []);
              assert.deepEqual(await executedTexts(page), []);
              assert.deepEqual(await seriousProblems(page), []);
              assert.deepEqual(requests, [file.url]);
            });
          }
        });
      }
    });
  }

  describe('with hostile names', () => {
    let file: ReturnType<typeof pageFile>;
    let opened: OpenedPage;
    before(async () => {
      file = pageFile(template, CLUSTERS.hostile?.() ?? []);
      opened = await openPage(browser, file.url);
      await opened.page.getByText('Kubernetes v1').waitFor();
    });
    after(async () => {
      await opened?.page.close();
      file?.remove();
    });

    it('show the name of the cluster as text', async () => {
      const names = await opened.page.getByLabel('Cluster', { exact: true }).locator('option').allTextContents();
      assert.deepEqual(names, [HOSTILE_TEXTS[1], HOSTILE_TEXTS[2]]);
    });

    for (const view of VIEWS) {
      it(`${view.name} shows names as text, with control characters made visible`, async () => {
        const { page } = opened;
        await goTo(page, view);
        const text = (await page.locator('main').textContent()) ?? '';
        assert.doesNotMatch(text, /(?![\n\t])[\p{Cc}\p{Bidi_Control}\u2028\u2029\p{Cs}]/u);
        assert.ok(
          HOSTILE_TEXTS.slice(0, 5).some((name) => text.includes(visibleControls(name))),
          text.slice(0, 500),
        );
      });

      it(`${view.name} executes nothing when each of its controls is used`, async () => {
        const { page, errors, requests } = opened;
        await goTo(page, view);
        const controls = page.locator('main').locator('button, summary, [role="tab"], [aria-expanded]');
        const count = Math.min(await controls.count(), MOST_CONTROLS);
        for (let index = 0; index < count; index++) {
          const control = controls.nth(index);
          if (await control.isVisible()) await control.click({ timeout: 5_000 }).catch(() => {});
        }
        await settled(page);
        assert.deepEqual(await executedTexts(page), []);
        assert.deepEqual(errors, []);
        assert.deepEqual(requests, [file.url]);
      });
    }
  });
});
