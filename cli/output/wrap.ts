/** Breaks text between words into lines that fit into a terminal. */
import { stripVTControlCharacters } from 'node:util';

interface Wrapping {
  /** The width of a line in columns. If the width is undefined, text is not wrapped. */
  readonly width: number | undefined;
  /**
   * `indent` is the number of spaces before the first line. `hanging` is the number of spaces before all further lines.
   */
  readonly indent?: number;
  readonly hanging?: number;
}

/**
 * Breaks a text into lines. Each line ends with a line break. A word that is longer than a line is not split, so that
 * users can copy a path.
 *
 * @param text the text, which may contain escape sequences for colours
 */
export function wrap(text: string, { width, indent = 0, hanging = indent }: Wrapping): string {
  const lines: string[] = [];
  let line = ' '.repeat(indent);
  let isEmpty = true;
  for (const word of text.split(' ')) {
    if (!isEmpty && width !== undefined && columns(line) + 1 + columns(word) > width) {
      lines.push(line);
      line = ' '.repeat(hanging);
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line].map((one) => `${one.trimEnd()}\n`).join('');
}

/** A paragraph whose lines after the first are indented. */
export function paragraph(text: string, { width }: Pick<Wrapping, 'width'>): string {
  return wrap(text, { width, hanging: 2 });
}

/**
 * The number of columns that a text needs. No character is assumed to be wide, because Kubernetes names contain no wide
 * characters.
 */
export function columns(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}
