/** The edits of a file as a unified diff, for `patch -p0` and `git apply -p0`. */
import { createTwoFilesPatch } from 'diff';
import { printable } from '../../../operator/report/text.ts';
import type { Terminal } from '../../output/terminal.ts';
import type { FixedFile } from './fix-text.ts';

export function diffText({ name, before, text }: FixedFile, terminal: Terminal): string {
  if (before === text) return '';
  const file = name === '-' ? 'stdin' : name;
  // Without the header lines, which repeat the name and a line of equal signs.
  const patch = createTwoFilesPatch(file, file, before, text).replace(/^(?:Index: .*\n)?=+\n/, '');
  if (terminal.width === undefined) return patch;
  return patch
    .split('\n')
    .map((line) => painted(line, terminal))
    .join('\n');
}

function painted(line: string, { paint }: Terminal): string {
  const text = printable(line);
  if (/^(?:---|\+\+\+) /.test(line)) return paint('bold', text);
  if (line.startsWith('@@')) return paint('cyan', text);
  if (line.startsWith('+')) return paint('green', text);
  return line.startsWith('-') ? paint('red', text) : text;
}
