/** Writes Markdown for generated pages and tables. */

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

/**
 * Escapes a text for Markdown. Parts in backticks, such as `code`, stay unchanged. Unescaped characters could become
 * emphasis, or disappear as a tag.
 */
export function prose(text: string): string {
  return text
    .split(/(`[^`]*`)/)
    .map((part, index) => (index % 2 === 1 ? part : part.replaceAll(/[*<]/g, '\\$&')))
    .join('');
}

/**
 * Replaces the generated part of a page. The generated part is between two comments that name the source of the part.
 *
 * @throws Error if the page lacks the comments
 */
export function withPart(page: string, source: string, text: string): string {
  const begin = `<!-- Written by \`npm run generate\` from ${source}. Do not edit. -->`;
  const end = `<!-- End of what is written from ${source}. -->`;
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`the page needs the lines ${begin} and ${end}`);
  return `${page.slice(0, from)}${begin}\n\n${text}\n\n${page.slice(to)}`;
}
