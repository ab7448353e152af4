/** Writes rows as CSV (RFC 4180) that a spreadsheet opens without executing any cell. */

export function csvText(rows: Iterable<readonly string[]>): string {
  let text = '';
  for (const row of rows) text += `${row.map(cellText).join(',')}\r\n`;
  return text;
}

/** The characters at the beginning of a cell that a spreadsheet reads as a formula (OWASP: CSV injection). */
const FORMULA = /^[=+\-@\t\r]/;

function cellText(cell: string): string {
  const text = FORMULA.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
