/**
 * Tests the comparison in the playground in a real Chromium. The comparison shows which pods an edit admits or refuses.
 * The comparison also shows which statements are proved.
 */
import assert from 'node:assert/strict';
import { COMPARED } from '../../hack/bench/compare-topologies.ts';
import { specsOf, textOf as textOfSet } from '../compare/sets.ts';
import { CHROMIUM, type OpenOptions, type Page, seriousProblems } from '../support/browser.ts';
import { editor, markedLines, replace, textOf } from '../support/editors.ts';
import { walkByTab } from '../support/keyboard.ts';
import { describeWith } from '../support/needs.ts';
import { usePage } from '../support/tested-page.ts';
import { settled } from '../support/views-of-page.ts';

const VIEW = '#/playground';

/** Two texts whose comparison takes seconds. */
const SLOW = slowTexts();

describeWith(CHROMIUM, 'the comparison in the playground', () => {
  const pages = usePage();

  /** Opens the playground with a policy, and starts a comparison. */
  async function comparing(options: OpenOptions = {}): Promise<Page> {
    const { page } = await pages.open(pages.url + VIEW, options);
    await page.getByLabel('Example').selectOption({ label: 'Level restricted' });
    await page.getByLabel('Compare').check();
    return page;
  }

  it('proves that equal texts admit the same pods, and after an edit that admits more pods, shows one of these pods', async () => {
    const page = await comparing();
    await told(
      page,
      'Proved Same: this set and the set before admit the same pods, in namespaces with the same labels.',
    );
    assert.equal(await textOf(page, 'Before'), await textOf(page, 'Policies'));
    await replace(page, 'Policies', `${await textOf(page, 'Policies')}  overrides: {hostNetwork: true}`);
    await told(page, 'Opens This set admits pods that the set before refuses: 1 difference, and no others.');
    await told(page, 'Proved This set closes nothing: this set admits every pod that the set before admits.');
    const difference = page.locator('.play-difference');
    assert.match(
      (await difference.textContent()) ?? '',
      /^Opens rule hostNetwork, in namespaces with environment=production.*refused before by policy restricted:pod must not set hostNetwork=true.*admitted now by policy restricted/,
    );
    assert.match(
      (await difference.locator('pre').textContent()) ?? '',
      /^apiVersion: v1\nkind: Pod\n.*hostNetwork: true\n/s,
    );
    await difference.getByRole('button', { name: 'Copy the smallest pod for hostNetwork' }).waitFor();
  });

  it('names the rule that an edit closes, and compares with the edited text after a click on Set as before', async () => {
    const page = await comparing();
    const text = await textOf(page, 'Policies');
    await replace(page, 'Before', text.replace('level: restricted', 'level: baseline'));
    await told(page, 'Proved This set opens nothing: the set before admits every pod that this set admits.');
    await page.locator('.play-difference', { hasText: 'Closes rule runAsUser' }).waitFor();
    await page.getByRole('button', { name: 'Set as before' }).click();
    await told(page, 'Proved Same: this set and the set before admit the same pods');
    assert.equal(await textOf(page, 'Before'), text);
    assert.equal(await page.locator('.play-difference').count(), 0);
  });

  it('says what is wrong with a text, and keeps the last comparison', async () => {
    const page = await comparing();
    const text = await textOf(page, 'Policies');
    await told(page, 'Proved Same');
    await replace(page, 'Before', text.replace('level: restricted', 'level: restrictd'));
    await told(page, 'A text has an error, so the texts are not compared.');
    await page.locator('.play-troubles').getByText('spec.level').waitFor();
    assert.deepEqual(await markedLines(page, 'Before'), ['level: restrictd']);
    assert.deepEqual(await markedLines(page, 'Policies'), []);
    await told(page, 'The answer below is about the last texts without errors.');
    await told(page, 'Proved Same');
    await page.getByRole('button', { name: /^line \d+$/ }).click();
    assert.equal(await editor(page, 'Before').evaluate((element) => element.matches(':focus')), true);
    await page.getByRole('button', { name: 'Set as before' }).click();
    await page.getByText('A text has an error').waitFor({ state: 'detached' });
  });

  it('shows a first answer of a comparison that takes seconds, and then the full answer', async () => {
    const page = await comparing();
    await replace(page, 'Before', SLOW.before);
    await replace(page, 'Policies', SLOW.policies);
    await page.getByText('still comparing').waitFor();
    const first = await comparisonOf(page).textContent();
    assert.match(first ?? '', /the time was over/);
    assert.doesNotMatch(first ?? '', /Proved/);
    await page.getByText('still comparing').waitFor({ state: 'detached' });
    assert.doesNotMatch((await comparisonOf(page).textContent()) ?? '', /the time was over/);
    assert.equal(await comparisonOf(page).getAttribute('aria-busy'), 'false');
    await told(page, 'Opens This set admits pods that the set before refuses');
  });

  it('an edit stops a comparison that takes seconds', async () => {
    const page = await comparing();
    let isStopped = false;
    page.on('worker', (worker) => worker.on('close', () => (isStopped = true)));
    await replace(page, 'Before', SLOW.before);
    // On a busy machine, the worker may give the full answer before the edit arrives.
    for (let attempt = 0; !isStopped && attempt < 5; attempt++) {
      await replace(page, 'Policies', `${SLOW.policies}# attempt ${attempt}`);
      await page.getByText('still comparing').waitFor();
      await replace(page, 'Policies', 'kind: CapabilityPolicy');
      await told(page, 'A text has an error, so the texts are not compared.');
    }
    assert.ok(isStopped, 'no worker was stopped');
  });

  it('says that the modes Warn and Audit refuse nothing and are not compared', async () => {
    const page = await comparing();
    await replace(page, 'Policies', (await textOf(page, 'Policies')).replace('mode: Enforce', 'mode: Audit'));
    await page.getByText('Modes Warn and Audit refuse nothing and are not compared: restricted.').waitFor();
    await page.locator('.play-difference').getByText('admitted now, because no policy decides').waitFor();
  });

  it('keeps both texts in the link, and keeps both texts when the question changes', async () => {
    const page = await comparing();
    await replace(page, 'Policies', `${await textOf(page, 'Policies')}# mine`);
    await settled(page);
    await page.waitForURL(/play=/);
    const link = page.url().slice(pages.url.length);
    const { page: second } = await pages.open(pages.url + link);
    await editor(second, 'Policies').getByText('# mine').waitFor();
    assert.doesNotMatch(await textOf(second, 'Before'), /mine/);
    await second.getByLabel('Evaluate pods').check();
    await second.locator('.play-item', { hasText: 'Pod default/bad' }).waitFor();
    assert.equal(await editor(second, 'Before').count(), 0);
    await second.getByLabel('Compare').check();
    assert.doesNotMatch(await textOf(second, 'Before'), /mine/);
  });

  it('reaches and leaves each control by Tab', async () => {
    const page = await comparing();
    await replace(page, 'Before', (await textOf(page, 'Before')).replace('level: restricted', 'level: baseline'));
    await page.locator('.play-difference').first().waitFor();
    await settled(page);
    const { missed, trap } = await walkByTab(page);
    assert.equal(trap, undefined);
    assert.deepEqual(missed, []);
  });

  it('has no serious accessibility problem in either theme, in wide and narrow windows', async () => {
    for (const options of [{}, { colorScheme: 'dark', width: 390 } as const]) {
      const page = await comparing(options);
      await replace(page, 'Before', (await textOf(page, 'Before')).replace('level: restricted', 'level: baseline'));
      await page.locator('.play-difference').first().waitFor();
      assert.deepEqual(await seriousProblems(page), []);
      const width = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
      assert.ok(width <= 0, `${width} pixels too wide`);
    }
  });
});

function slowTexts() {
  const sets = COMPARED['exceptions for everybody, all loosened']?.(50);
  assert.ok(sets);
  return { before: textOfSet(specsOf(sets.old)), policies: textOfSet(specsOf(sets.new)) };
}

/** Waits until the status line of the comparison has the text. */
async function told(page: Page, text: string): Promise<void> {
  await comparisonOf(page).getByRole('status').filter({ hasText: text }).first().waitFor();
}

function comparisonOf(page: Page) {
  return page.getByLabel('Comparison', { exact: true });
}
