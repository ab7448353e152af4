/** Prints the unified diff of a file, with colours on a terminal. */
import { type Changed, unifiedDiff } from '../../../analysis/fix/unified-diff.ts';
import { printable } from '../../../operator/text/printable.ts';
import type { Terminal } from '../../output/terminal.ts';

export function diffText(changed: Changed, terminal: Terminal): string {
  const patch = unifiedDiff(changed);
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
