/** Text in lines that fit a terminal, broken between words. */
import { stripVTControlCharacters } from 'node:util';

interface Wrapping {
  /** The width of a line in columns; undefined means no wrapping. */
  readonly width: number | undefined;
  /** `indent`: the spaces before the first line; `hanging`: the spaces before all further lines. */
  readonly indent?: number;
  readonly hanging?: number;
}

/**
 * Breaks a text into lines that end with a line break. A word that is longer than a line is not split, so that a path
 * can be copied.
 *
 * @param text the text, which may contain colours
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

/** The number of columns of a text, assuming no wide characters, which Kubernetes names can't contain. */
export function columns(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}
