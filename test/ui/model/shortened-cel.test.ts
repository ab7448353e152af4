import assert from 'node:assert/strict';
import { shortenedCel } from '../../../ui/model/shortened-cel.ts';

const row = (name: string) => `{"name": ["${name}"], "level": ["restricted:v1.30"]}`;
const table = (names: readonly string[]) => `[\n${names.map(row).join(',\n')}\n]`;
const names = Array.from({ length: 1_500 }, (_, i) => `team-${i}`);

describe('a long text of a program', () => {
  it('is whole if it is short', () => {
    assert.equal(shortenedCel(table(names.slice(0, 30)), 'team-3'), undefined);
    assert.equal(shortenedCel('true', 'team-3'), undefined);
  });

  it('the short form keeps the lines of the policy, and counts the other lines', () => {
    assert.deepEqual(shortenedCel(table(names), 'team-70')?.split('\n'), [
      '[',
      '… 70 lines …',
      `${row('team-70')},`,
      '… 1,429 lines …',
      ']',
    ]);
    assert.equal(shortenedCel(table(names), 'team-1')?.split('\n')[1], '… 1 line …');
  });

  it('if the given name is only the beginning of another name, no policy is named', () => {
    assert.deepEqual(shortenedCel(table(names), 'team')?.split('\n'), ['[', '… 1,500 lines …', ']']);
  });

  it('cuts long lines, and splits no character', () => {
    const line = `{${'😀'.repeat(11_000)}}`;
    const short = shortenedCel(line, 'team-3') ?? '';
    const [beginning, end] = [short.slice(0, 19_999), short.slice(19_999)];
    assert.ok(line.startsWith(beginning));
    assert.equal(end, ' … 2,003 more characters …');
    assert.ok(short.isWellFormed());
  });
});
