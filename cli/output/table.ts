/**
 * Prints tables in the style of kubectl. The tables have no lines between cells, and columns are as wide as their
 * content.
 */
import { printable } from '../../operator/text/printable.ts';
import { PLAIN, type Terminal } from './terminal.ts';
import { columns, wrap } from './wrap.ts';

export const GAP = '   ';
const INDENT = 2;

interface TableOptions {
  readonly terminal?: Terminal;
  /**
   * The headers of the columns that may be dropped. Columns are dropped one after another until the table fits into the
   * terminal.
   */
  readonly optional?: readonly string[];
  /**
   * If the table continues an earlier table, the field contains the headers that were already printed. The headers
   * determine the widths of the columns.
   */
  readonly heads?: readonly string[];
  /** Colours a cell without changing its width. */
  paint?(head: string, cell: string): string;
}

/**
 * The text of a table: one line for the headers, if there are headers, and one line for each row. Each line ends with a
 * line break.
 */
export function tableText(
  head: readonly string[] | undefined,
  rows: readonly (readonly string[])[],
  { terminal = PLAIN, optional = [], heads: above, paint = (_head, cell) => cell }: TableOptions = {},
): string {
  const shown = rows.map((row) => row.map(printable));
  const all = head ? [head, ...shown] : shown;
  const kept = fittingColumns(head, all, optional, terminal.width);
  const picked = all.map((row) => kept.map((index) => row[index] ?? ''));
  const widths = kept.map((_, index) => columnWidth(picked, index));
  const heads = kept.map((index) => (head ?? above)?.[index] ?? '');
  if (terminal.width === undefined || lineWidth(widths) <= terminal.width) {
    return picked.map((row, line) => rowText(row, widths, head && line === 0 ? [] : heads, paint)).join('');
  }
  return narrowText(picked, { widths, heads, hasHead: head !== undefined, terminal, paint });
}

/** @returns the indexes of the columns that are shown */
function fittingColumns(
  head: readonly string[] | undefined,
  rows: readonly (readonly string[])[],
  optional: readonly string[],
  width: number | undefined,
): number[] {
  let kept = (rows[0] ?? []).map((_, index) => index);
  for (const name of optional) {
    if (width === undefined || lineWidth(kept.map((index) => columnWidth(rows, index))) <= width) break;
    kept = kept.filter((index) => head?.[index] !== name);
  }
  return kept;
}

function columnWidth(rows: readonly (readonly string[])[], index: number): number {
  return rows.reduce((width, row) => Math.max(width, columns(row[index] ?? '')), 0);
}

function lineWidth(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0) + GAP.length * (widths.length - 1);
}

type Paint = NonNullable<TableOptions['paint']>;

function rowText(row: readonly string[], widths: readonly number[], heads: readonly string[], paint: Paint): string {
  const cells = row.map((cell, index) => {
    const padding = ' '.repeat(Math.max(0, (widths[index] ?? 0) - columns(cell)));
    return (heads[index] === undefined ? cell : paint(heads[index], cell)) + padding;
  });
  return `${cells.join(GAP).trimEnd()}\n`;
}

interface Narrow {
  readonly widths: readonly number[];
  readonly heads: readonly string[];
  readonly hasHead: boolean;
  readonly terminal: Terminal;
  readonly paint: Paint;
}

/**
 * Prints the last column below the other columns of its row, because the last column has the longest text. If the
 * terminal is too narrow even for the other columns, each cell gets its own line, after its header.
 */
function narrowText(rows: readonly (readonly string[])[], { widths, heads, hasHead, terminal, paint }: Narrow): string {
  const { width } = terminal;
  const fits = width !== undefined && widths.length > 1 && lineWidth(widths.slice(0, -1)) <= width;
  if (fits) {
    return rows
      .map((row, line) => {
        const isHead = hasHead && line === 0;
        const text = rowText(row.slice(0, -1), widths, isHead ? [] : heads, paint);
        const last = row.at(-1) ?? '';
        return isHead || last === '' ? text : text + wrap(last, { width, indent: INDENT * 2 });
      })
      .join('');
  }
  return rows
    .slice(hasHead ? 1 : 0)
    .map(([name = '', ...cells]) => {
      const pairs = cells.map((cell, index) => `${heads[index + 1] ?? ''} ${cell}`.trim()).join('; ');
      return `${terminal.paint('bold', name)}\n${wrap(pairs, { width, indent: INDENT })}`;
    })
    .join('');
}
