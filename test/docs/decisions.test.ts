/**
 * Tests the decision records. Each record must have its date of acceptance. A superseded or refined record must also
 * name the newer record.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decisionOf, decisionsTable } from '../../hack/generate/decisions.ts';
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

  it('only a later record can supersede a decision record', () => {
    const decisions = files.map((file) => decisionOf(file, readFileSync(join(FOLDER, file), 'utf8')));
    assert.deepEqual(
      decisions.filter(({ number, supersededBy }) => supersededBy !== undefined && supersededBy <= number),
      [],
    );
  });

  it('for each record, the index lists the records that superseded or refined the record', () => {
    const record = (status: string) =>
      `# 7. A title\n\nAccepted on 2026-11-25.${status}\n\n**Context.** [0001](1.md)\n`;
    const texts = {
      '0001-first.md': record(
        ' Superseded by [0003](0003-third.md), except for\na part. Before that, refined by [0002](2.md).',
      ),
      '0002-second.md': record(' Refined by [0003](0003-third.md): more,\nand by [0004](4.md).'),
      '0003-third.md': record(''),
      '0004-fourth.md': record(''),
    };
    const decisions = Object.entries(texts).map(([file, text]) => decisionOf(file, text));
    assert.deepEqual(decisionsTable(decisions, 'in').split('\n').slice(2), [
      '| [0001](in/0001-first.md) | A title |  | [0003](in/0003-third.md), except for a part | [0002](in/0002-second.md) |',
      '| [0002](in/0002-second.md) | A title |  |  | [0003](in/0003-third.md), [0004](in/0004-fourth.md) |',
      '| [0003](in/0003-third.md) | A title | [0001](in/0001-first.md) |  |  |',
      '| [0004](in/0004-fourth.md) | A title |  |  |  |',
    ]);
  });
});
