/** The edits of a file as a unified diff, for `patch -p0` and `git apply -p0`. */
import { createTwoFilesPatch } from 'diff';
import { printable } from '../../../operator/report/text.ts';
import type { Terminal } from '../../output/terminal.ts';
import type { FixedFile } from './fix-text.ts';

type Changed = Pick<FixedFile, 'name' | 'before' | 'text'>;

export function diffText(changed: Changed, terminal: Terminal): string {
  const patch = unifiedDiff(changed);
  if (terminal.width === undefined) return patch;
  return patch
    .split('\n')
    .map((line) => painted(line, terminal))
    .join('\n');
}

/** Empty if nothing changed. */
export function unifiedDiff({ name, before, text }: Changed): string {
  if (before === text) return '';
  const file = name === '-' ? 'stdin' : name;
  // Without the header lines, which repeat the name and a line of equal signs.
  return createTwoFilesPatch(file, file, before, text).replace(/^(?:Index: .*\n)?=+\n/, '');
}

function painted(line: string, { paint }: Terminal): string {
  const text = printable(line);
  if (/^(?:---|\+\+\+) /.test(line)) return paint('bold', text);
  if (line.startsWith('@@')) return paint('cyan', text);
  if (line.startsWith('+')) return paint('green', text);
  return line.startsWith('-') ? paint('red', text) : text;
}
