/** Reads the tables and lists of the page as strings. The headings of the columns are the keys. */
import type { Locator, Page } from './browser.ts';
import { settled } from './views-of-page.ts';

export type RowText = Readonly<Record<string, string>>;

/**
 * The rows of a `<table>`. If a row has one cell across all columns, the function leaves out the row, because the row
 * belongs to the row above.
 */
export async function tableRows(table: Locator): Promise<RowText[]> {
  const heads = await textsOf(table.locator('thead th'));
  const rows: RowText[] = [];
  for (const row of await table.locator('tbody tr:not(:has(> [colspan]))').all())
    rows.push(rowOf(heads, await textsOf(row.locator('th, td'))));
  return rows;
}

/** All rows of a list. The document contains only the visible rows. */
export async function listRows(page: Page, list: Locator): Promise<RowText[]> {
  const count = Number(await list.getAttribute('aria-rowcount'));
  const heads = await textsOf(list.locator('[role="columnheader"]'));
  const rows = new Map<number, RowText>([[1, {}]]);
  for (let step = 0; rows.size < count && step < count; step++) {
    for (const row of await list.locator('.rows-body [role="row"]').all()) {
      const index = Number(await row.getAttribute('aria-rowindex'));
      if (!rows.has(index)) rows.set(index, rowOf(heads, await textsOf(row.locator('[aria-colindex]'))));
    }
    await list.evaluate((element) => {
      element.scrollTop += element.clientHeight / 2;
    });
    await settled(page, 50);
  }
  if (rows.size !== count) throw new Error(`${rows.size} of ${count} rows were drawn`);
  rows.delete(1);
  return [...rows].sort(([a], [b]) => a - b).map(([, row]) => row);
}

function rowOf(heads: readonly string[], cells: readonly string[]): RowText {
  return Object.fromEntries(heads.map((head, index) => [head, cells[index] ?? '']));
}

/** The text of each element in the form that users see. Several blanks count as one blank. */
export async function textsOf(locator: Locator): Promise<string[]> {
  const texts = await locator.allTextContents();
  return texts.map((text) => text.replace(/\s+/g, ' ').trim());
}
