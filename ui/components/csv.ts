/** Rows → CSV (RFC 4180) that a spreadsheet opens without executing anything in it. */

export function csvText(rows: Iterable<readonly string[]>): string {
  let text = '';
  for (const row of rows) text += `${row.map(cellText).join(',')}\r\n`;
  return text;
}

/** If a cell begins with one of these characters, a spreadsheet reads it as a formula (OWASP: CSV injection). */
const FORMULA = /^[=+\-@\t\r]/;

function cellText(cell: string): string {
  const text = FORMULA.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
