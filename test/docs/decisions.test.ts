/** Every decision record has its date of acceptance, and names the record that replaced or refined it. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/page.ts';

const FOLDER = join(ROOT, 'docs', 'decisions');
const STATUS = /^Accepted on (\d{4}-\d{2}-\d{2})\.( (?:Refined|Superseded) by \[\d{4}\]\(\S+\.md\).*)?$/;

describe('the decision records', () => {
  const files = readdirSync(FOLDER).sort();

  for (const file of files) {
    it(`${file} has its number, its date and its status at the top`, () => {
      const [title = '', , status = ''] = readFileSync(join(FOLDER, file), 'utf8').split('\n');
      assert.equal(Number(/^# 0*(\d+)[.:] /.exec(title)?.[1]), Number(file.slice(0, 4)));
      const [, date = ''] = STATUS.exec(status) ?? [];
      assert.ok(!Number.isNaN(Date.parse(date)), status);
    });
  }

  it('have a number each', () => {
    assert.equal(new Set(files.map((file) => file.slice(0, 4))).size, files.length);
  });
});
