/** GitHub-flavoured Markdown for a comment on a pull request. */
import { bounded } from '../../operator/text/printable.ts';

/** The limit for all tables of a comment together, because GitHub refuses comments of more than 65,536 characters. */
export const MOST_CHARACTERS = 60_000;
/** The limit for a single text, so that one text does not use up the space of the whole comment. */
const LONGEST = 1_000;

/**
 * Renders text of a manifest as code, so that it cannot contain a link, a mention, an image or HTML. In a table, a pipe
 * must be escaped even in code (https://github.github.com/gfm/#tables-extension-). A backslash before the pipe would
 * undo this escape.
 */
export function code(text: string): string {
  const line = bounded(text, LONGEST).trim();
  if (line === '') return '';
  const longest = Math.max(0, ...[...line.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  const pad = line.startsWith('`') || line.endsWith('`') ? ' ' : '';
  return `${fence}${pad}${line.replaceAll(/\\+(?=\|)/g, '').replaceAll('|', '\\|')}${pad}${fence}`;
}

/**
 * @param rows the cells of each row, which are already Markdown
 * @param most the limit in characters; rows that do not fit are counted below the table
 * @returns paragraphs; none for no rows
 */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[], most: number): string[] {
  if (rows.length === 0) return [];
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const lines = [line(head), line(head.map(() => '---'))];
  let room = most;
  let shown = 0;
  for (const row of rows) {
    const text = line(row);
    room -= text.length + 1;
    if (room < 0) break;
    lines.push(text);
    shown += 1;
  }
  return [lines.join('\n'), ...(shown < rows.length ? [`… and ${rows.length - shown} more`] : [])];
}

export function details(title: string, contents: readonly string[]): string[] {
  return contents.length === 0 ? [] : [`<details><summary>${title}</summary>`, ...contents, '</details>'];
}
