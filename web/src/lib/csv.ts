// Tables as files for spreadsheets (RFC 4180).

/** What a spreadsheet would take for a formula is kept a text: a user name must not run anything there. */
const FORMULA = /^[=+\-@\t\r]/;

function cell(value: string): string {
  const text = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n;]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** One line per row. The mark at the beginning tells spreadsheets that it is UTF-8. */
export function toCsv(rows: string[][]): string {
  return `\uFEFF${rows.map((row) => row.map(cell).join(',')).join('\r\n')}\r\n`;
}
