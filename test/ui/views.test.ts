/** Tests each view with a usual, a hostile and a large cluster, in light and in dark colours. */
import assert from 'node:assert/strict';
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import { visibleControls } from '../../analysis/text/printable-values.ts';
import { CHROMIUM, type OpenedPage, openPage, seriousProblems } from '../support/browser.ts';
import { executedTexts } from '../support/executed.ts';
import { HOSTILE_TEXTS, hostileSnapshot } from '../support/hostile-cluster.ts';
import { largeCluster } from '../support/large-cluster.ts';
import { describeWith } from '../support/needs.ts';
import { largeSnapshot, settledSnapshot } from '../support/settled-snapshot.ts';
import { usePage } from '../support/tested-page.ts';
import { goTo, settled, VIEWS } from '../support/views-of-page.ts';

const USUAL = { pods: 120, namespaces: 12, shapes: 30, policies: 20 };

const CLUSTERS: Readonly<Record<string, () => readonly Snapshot[]>> = {
  usual: () => [settledSnapshot(largeCluster(USUAL), 'usual')],
  // If two contexts are loaded, the user chooses between the clusters by the names of the contexts.
  hostile: () => [hostileSnapshot(), hostileSnapshot(HOSTILE_TEXTS[2])],
  large: () => [largeSnapshot()],
};

const MOST_CONTROLS = 30;

const SCHEMES = ['light', 'dark'] as const;

describeWith(CHROMIUM, 'the views of the page', () => {
  const pages = usePage();

  it('are those of the navigation', async () => {
    const { page } = await pages.open(pages.fileOf(CLUSTERS.usual?.() ?? []));
    const links = await page.getByRole('navigation', { name: 'Views' }).getByRole('link').allInnerTexts();
    assert.deepEqual(
      links,
      VIEWS.map(({ title }) => title),
    );
  });

  for (const [name, snapshots] of Object.entries(CLUSTERS)) {
    describe(`with a ${name} cluster`, () => {
      let file: string;
      before(() => {
        file = pages.fileOf(snapshots());
      });

      for (const colorScheme of SCHEMES) {
        describe(colorScheme, () => {
          let opened: OpenedPage;
          before(async () => {
            opened = await openPage(pages.browser, file, { colorScheme });
            await opened.page.getByText('Kubernetes v1').waitFor();
          });
          after(() => opened?.page.close());

          for (const view of VIEWS) {
            it(`${view.name} has no error, no request, nothing executed and nothing that axe calls serious`, async () => {
              const { page, errors, requests } = opened;
              await goTo(page, view);
              assert.deepEqual(errors, []);
              assert.deepEqual(await executedTexts(page), []);
              assert.deepEqual(await seriousProblems(page), []);
              assert.deepEqual(requests, [file]);
            });
          }
        });
      }
    });
  }

  it('the views fit a window of 390 pixels, and only tables and lists scroll sideways', async () => {
    const { page } = await openPage(pages.browser, pages.fileOf(CLUSTERS.usual?.() ?? []), { width: 390 });
    for (const view of VIEWS) {
      await goTo(page, view);
      assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 390, view.name);
    }
    await page.close();
  });

  describe('with hostile names', () => {
    let file: string;
    let opened: OpenedPage;
    before(async () => {
      file = pages.fileOf(CLUSTERS.hostile?.() ?? []);
      opened = await openPage(pages.browser, file);
      await opened.page.getByText('Kubernetes v1').waitFor();
    });
    after(() => opened?.page.close());

    it('the views show the name of the cluster as text', async () => {
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
        assert.deepEqual(requests, [file]);
      });
    }
  });
});
