/** Creates files in the browser. No data leaves the machine. */
import { csvText } from '../../analysis/text/csv.ts';

export function download(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser has certainly opened the file after 10 s.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

interface CsvButtonProps {
  /** The name of the file, including its extension. */
  readonly file: string;
  /**
   * Returns the rows of the file. The first row has the headings. The function is called only when the user asks for
   * the file.
   */
  rows(): Iterable<readonly string[]>;
  readonly text?: string;
}

export function CsvButton({ file, rows, text = 'Download CSV' }: CsvButtonProps) {
  return (
    <button type="button" class="csv" onClick={() => download(file, 'text/csv;charset=utf-8', csvText(rows()))}>
      {text}
    </button>
  );
}
