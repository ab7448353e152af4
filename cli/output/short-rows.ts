/** Shortens rows that end with the message of a rule. Without the shortening, lines would not fit into the screen. */
import { MOST_COLUMNS, shortMessage } from '../../analysis/check/short-message.ts';
import { GAP } from './table.ts';
import { columns } from './wrap.ts';

/**
 * Shortens messages that are too long for a line. A shortened message names fewer of the values that policies accept.
 */
export function withShortMessages(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): readonly (readonly string[])[] {
  const before = head.slice(0, -1).map((_, index) => widest([head, ...rows], index) + GAP.length);
  const room = MOST_COLUMNS - before.reduce((sum, width) => sum + width, 0);
  return rows.map((row) => [...row.slice(0, -1), shortMessage(row.at(-1) ?? '', room)]);
}

function widest(rows: readonly (readonly string[])[], index: number): number {
  return rows.reduce((width, row) => Math.max(width, columns(row[index] ?? '')), 0);
}
