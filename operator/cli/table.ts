/** Tables as kubectl prints them: no lines, columns as wide as what is in them. */
import Table from 'cli-table3';
import { printable } from '../report/text.ts';

const NONE = {
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
};
const CHARS = {
  ...NONE,
  top: '',
  bottom: '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
};

/** A line for the head, if any, and for each row, with a line break at its end. */
export function tableText(head: readonly string[] | undefined, rows: readonly (readonly string[])[]): string {
  const table = new Table({
    ...(head && { head: [...head] }),
    chars: CHARS,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 3 },
  });
  table.push(...rows.map((row) => row.map(printable)));
  const lines = table.toString().split('\n');
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}
