/** Writes GitHub-flavoured Markdown for a comment on a pull request. */
import { bounded } from '../../operator/text/printable.ts';

/**
 * The maximum number of characters of all tables in a comment. GitHub refuses comments of more than 65,536 characters.
 */
export const MOST_CHARACTERS = 60_000;
/**
 * The maximum number of characters of a single text. This limit prevents one text from using up the space of the whole
 * comment.
 */
const LONGEST = 1_000;

/**
 * Renders text of a manifest as code. Code cannot contain a link, a mention, an image or HTML. In a Markdown table, a
 * pipe must be escaped, even inside code (https://github.github.com/gfm/#tables-extension-). A backslash in front of
 * the pipe would cancel the escape, so the function removes such backslashes.
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
 * @param rows the cells of each row, as Markdown
 * @param most the maximum number of characters. The text below the table gives the number of rows that do not fit
 * @returns paragraphs, or none if there are no rows
 */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[], most: number): string[] {
  if (rows.length === 0) return [];
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const lines = [line(head), line(head.map(() => '---'))];
  const { shown, more } = fitting(rows.map(line), most);
  return [[...lines, ...shown].join('\n'), ...more];
}

/**
 * The first texts that fit, and a line with the number of further texts. If all texts fit, the line with the number is
 * absent.
 *
 * @param most the maximum number of characters, including the characters between the texts
 * @param between the number of characters that separate two texts
 */
export function fitting(
  texts: readonly string[],
  most: number,
  between = 1,
): { readonly shown: readonly string[]; readonly more: readonly string[] } {
  let room = most;
  const shown = texts.filter((text) => {
    room -= text.length + between;
    return room >= 0;
  });
  return { shown, more: shown.length < texts.length ? [`… and ${texts.length - shown.length} more`] : [] };
}

export function details(title: string, contents: readonly string[]): string[] {
  return contents.length === 0 ? [] : [`<details><summary>${title}</summary>`, ...contents, '</details>'];
}
