/** Splits a text that arrives in chunks into lines. The text has one record in each line. */
import { MOST_CHARACTERS } from '../manifests/piece.ts';

export interface Line {
  /** The text of the line; undefined for a line that is too long to be a record. */
  readonly text: string | undefined;
  /** The number of the line. The first line has number 1. */
  readonly number: number;
  /** Whether a line break ends the line. If a tool was killed, its last line has no line break. */
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
