/** GitHub-flavoured Markdown for a comment on a pull request. */
import { printable } from '../report/text.ts';

/** GitHub refuses comments of more than 65,536 characters. */
export const MARKDOWN_ROWS = 200;

/**
 * Text of a manifest, as code: nothing in it is a link, a mention, an image or HTML. In a table a pipe has to be escaped in
 * code, too (https://github.github.com/gfm/#tables-extension-); a backslash before it would escape the escape.
 */
export function code(text: string): string {
  const line = printable(text).trim();
  if (line === '') return '';
  const longest = Math.max(0, ...[...line.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  const pad = line.startsWith('`') || line.endsWith('`') ? ' ' : '';
  return `${fence}${pad}${line.replaceAll(/\\+(?=\|)/g, '').replaceAll('|', '\\|')}${pad}${fence}`;
}

/** @param rows cells that are Markdown already; none for no rows */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [[line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')];
}

/** What a table of MARKDOWN_ROWS leaves out. */
export function moreLine(rows: number): string[] {
  return rows > MARKDOWN_ROWS ? [`… and ${rows - MARKDOWN_ROWS} more`] : [];
}

export function details(title: string, contents: readonly string[]): string[] {
  return contents.length === 0 ? [] : [`<details><summary>${title}</summary>`, ...contents, '</details>'];
}
