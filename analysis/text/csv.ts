/**
 * Writes rows as CSV (RFC 4180). If a spreadsheet program opens the file, the program executes no cell as a formula.
 */

export function csvText(rows: Iterable<readonly string[]>): string {
  let text = '';
  for (const row of rows) text += `${row.map(cellText).join(',')}\r\n`;
  return text;
}

/**
 * If a cell begins with one of these characters, a spreadsheet reads the cell as a formula (OWASP, "CSV injection").
 */
const FORMULA = /^[=+\-@\t\r]/;

function cellText(cell: string): string {
  const text = FORMULA.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
