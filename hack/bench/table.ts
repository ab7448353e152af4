/** The results of a part of the bench. The bench prints the results for users, and writes the results as JSON. */

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Sentences that explain the rows and state the conclusion. */
  readonly notes: readonly string[];
  /** The measurements that the rows show, as data. */
  readonly measured: unknown;
}

/** The table as Markdown, for pasting into the documentation. */
export function formatTable({ title, columns, rows, notes }: Table): string {
  const widths = columns.map((column, index) =>
    Math.max(...[column, ...rows.map((row) => row[index] ?? '')].map(length)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(' | ')} |`;
  const ruler = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [`## ${title}`, '', line(columns), ruler, ...rows.map(line), '', ...notes].join('\n');
}

function length(text: string): number {
  return [...text].length;
}
