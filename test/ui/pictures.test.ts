/**
 * Tests the pictures of README and docs. The pictures show the page with the demo's cluster. Each picture comes with a
 * text file. The file has the text that a screen reader finds in the picture. Pixels differ from machine to machine. A
 * picture therefore counts as out of date if its text has changed. Changed pixels do not count. `npm run pictures`
 * renews the pictures.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHROMIUM } from '../support/browser.ts';
import { demoSnapshot } from '../support/demo-snapshot.ts';
import { describeWith } from '../support/needs.ts';
import { usePage } from '../support/tested-page.ts';
import { settled } from '../support/views-of-page.ts';

const FOLDER = join(import.meta.dirname, '..', '..', 'docs', 'pictures');
const TAKES = process.env.UPDATE_GOLDEN !== undefined;
const MOST_BYTES = 600_000;

interface Picture {
  readonly name: string;
  readonly hash: string;
  readonly height: number;
  /** A selector for the part of the view that the page draws last. */
  readonly last: string;
}

const PICTURES: readonly Picture[] = [
  { name: 'overview', hash: '#/overview', height: 600, last: '.summary' },
  { name: 'capabilities', hash: '#/capabilities', height: 780, last: '.rows [role="row"]' },
  { name: 'playground', hash: '#/playground', height: 560, last: '.play-changes [role="status"]' },
];

describeWith(CHROMIUM, 'the pictures of the page', () => {
  const pages = usePage(async () => [await demoSnapshot()]);
  before(() => {
    if (TAKES) mkdirSync(FOLDER, { recursive: true });
  });

  for (const { name, hash, height, last } of PICTURES) {
    it(`${name} shows what the view says`, async () => {
      for (const colorScheme of ['light', 'dark'] as const) {
        const { page } = await pages.open(`${pages.url}${hash}`, { colorScheme, width: 1160, height });
        await page.locator(last).first().waitFor();
        await settled(page);
        if (TAKES) await page.screenshot({ path: join(FOLDER, `${name}-${colorScheme}.png`) });
        const text = `${await page.locator('main').ariaSnapshot()}\n`;
        const recorded = join(FOLDER, `${name}.txt`);
        if (TAKES) writeFileSync(recorded, text);
        assert.equal(text, readFileSync(recorded, 'utf8'), 'the picture is out of date: npm run pictures');
      }
    });
  }

  it(`are smaller than ${MOST_BYTES / 1000} kB together`, () => {
    const sizes = readdirSync(FOLDER).map((entry) => statSync(join(FOLDER, entry)).size);
    const total = sizes.reduce((sum, size) => sum + size, 0);
    assert.ok(total < MOST_BYTES, `${total} bytes`);
  });
});
