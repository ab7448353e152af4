/** Writes rows as CSV (RFC 4180). A spreadsheet that opens the CSV executes no cell as a formula. */

export function csvText(rows: Iterable<readonly string[]>): string {
  let text = '';
  for (const row of rows) text += `${row.map(cellText).join(',')}\r\n`;
  return text;
}

/**
 * Characters that make a spreadsheet read a cell as a formula, if the cell begins with one of them (OWASP, "CSV
 * injection").
 */
const FORMULA = /^[=+\-@\t\r]/;

function cellText(cell: string): string {
  const text = FORMULA.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
