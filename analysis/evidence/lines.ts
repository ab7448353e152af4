/** Splits text in chunks into lines, for files with one record a line. */
import { MOST_CHARACTERS } from '../manifests/piece.ts';

export interface Line {
  /** The line's text; undefined for a line that is too long to be a record. */
  readonly text: string | undefined;
  /** The number of the line, from 1. */
  readonly number: number;
  /** Whether a line break follows. A tool that was killed leaves a last line without a line break. */
  readonly ended: boolean;
}

/** The lines of a text, without empty lines. */
export function* linesIn(chunks: Iterable<string>): Generator<Line> {
  let rest = '';
  let isTooLong = false;
  let number = 1;
  for (const chunk of chunks) {
    const [first = '', ...others] = chunk.split('\n');
    rest = isTooLong ? '' : rest + first;
    for (const next of others) {
      yield* line(isTooLong ? undefined : rest, number, true);
      rest = next;
      isTooLong = false;
      number += 1;
    }
    isTooLong ||= rest.length > MOST_CHARACTERS;
  }
  yield* line(isTooLong ? undefined : rest, number, false);
}

function* line(text: string | undefined, number: number, ended: boolean): Generator<Line> {
  if (text === undefined || text.trim() !== '') yield { text, number, ended };
}
