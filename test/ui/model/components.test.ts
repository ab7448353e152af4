import assert from 'node:assert/strict';
import { csvText } from '../../../analysis/text/csv.ts';
import { visibleControls } from '../../../analysis/text/printable-values.ts';
import { moved, type Surroundings, windowOf } from '../../../ui/components/rows-model.ts';

const AROUND: Surroundings = { count: 100, columns: 41, page: 20, expanded: undefined, parent: undefined };
const press = (key: string, at = { row: 50, column: 0 }, around: Partial<Surroundings> = {}, ctrlKey = false) =>
  moved(at, { key, ctrlKey }, { ...AROUND, ...around });

describe('rows of a list: the window', () => {
  it('the window contains every visible row, at each scroll position', () => {
    for (let scrollTop = 0; scrollTop <= 100 * 24 - 500; scrollTop += 7) {
      const { first, last } = windowOf(scrollTop, 500, 24, 100);
      assert.ok(first * 24 <= scrollTop, `${scrollTop}: first ${first}`);
      assert.ok(last * 24 >= scrollTop + 500, `${scrollTop}: last ${last}`);
      assert.ok(last <= 100 && first >= 0);
    }
  });

  it('does not grow with the number of rows', () => {
    const { first, last } = windowOf(1_000_000, 500, 24, 1_000_000);
    assert.ok(last - first < 60, `${last - first} rows`);
  });

  it('the window is empty without rows, and shows the last rows if the list has become shorter than the scroll position', () => {
    assert.deepEqual(windowOf(0, 500, 24, 0), { first: 0, last: 0 });
    const { first, last } = windowOf(5_000, 500, 24, 30);
    assert.ok(first <= 9 && last === 30, `${first} to ${last}`);
  });
});

describe('rows of a list: the keys', () => {
  it('the keys move from row to row and from page to page, and stop at both ends', () => {
    assert.deepEqual(press('ArrowDown'), { row: 51, column: 0 });
    assert.deepEqual(press('ArrowUp'), { row: 49, column: 0 });
    assert.deepEqual(press('PageDown'), { row: 70, column: 0 });
    assert.deepEqual(press('PageUp', { row: 5, column: 0 }), { row: 0, column: 0 });
    assert.deepEqual(press('End'), { row: 99, column: 0 });
    assert.deepEqual(press('Home'), { row: 0, column: 0 });
    assert.deepEqual(press('ArrowDown', { row: 99, column: 0 }), { row: 99, column: 0 });
  });

  it('the keys expand and collapse a row, and move from a row to its parent row', () => {
    assert.equal(press('ArrowRight', undefined, { expanded: false }), 'toggle');
    assert.equal(press('ArrowLeft', undefined, { expanded: true }), 'toggle');
    assert.equal(press(' ', undefined, { expanded: true }), 'toggle');
    assert.deepEqual(press('ArrowLeft', undefined, { parent: 40 }), { row: 40, column: 0 });
  });

  it('the keys move from cell to cell, to the ends of a row, and with Control to the ends of the list', () => {
    assert.deepEqual(press('ArrowRight', undefined, { expanded: true }), { row: 50, column: 1 });
    assert.deepEqual(press('ArrowLeft', { row: 50, column: 1 }), { row: 50, column: 0 });
    assert.deepEqual(press('End', { row: 50, column: 3 }), { row: 50, column: 41 });
    assert.deepEqual(press('Home', { row: 50, column: 3 }), { row: 50, column: 1 });
    assert.deepEqual(press('End', { row: 50, column: 3 }, {}, true), { row: 99, column: 3 });
    assert.equal(press('ArrowRight', { row: 50, column: 41 }), undefined);
  });

  it('leave other keys to the browser', () => {
    assert.equal(press('a'), undefined);
    assert.equal(press('ArrowDown', { row: 0, column: 0 }, { count: 0 }), undefined);
  });
});

describe('CSV', () => {
  it('quotes separators, quotes and line breaks', () => {
    assert.equal(csvText([['a,b', 'say "x"', 'one\ntwo', 'plain']]), '"a,b","say ""x""","one\ntwo",plain\r\n');
  });

  it('no cell of the CSV can be read as a formula by a spreadsheet', () => {
    for (const text of ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1']) {
      assert.match(csvText([[text]]), /^"?'/, JSON.stringify(text));
    }
  });
});

describe('a name on the page', () => {
  it('shows control characters as escapes', () => {
    assert.equal(visibleControls('a\u202eb\u0007\nc\u0085'), 'a\\u202eb\\u0007\\u000ac\\u0085');
    assert.equal(visibleControls('lone \ud800'), 'lone \ufffd');
  });
});
