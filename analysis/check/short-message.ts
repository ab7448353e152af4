/** Messages of rules for lines that should fit a screen. */
import { firstOf } from '../../operator/text/wording.ts';

/** For lines in a pipe. */
export const MOST_COLUMNS = 200;

/** How many values of a list to name, one try after the other. */
const TRIES = [8, 4, 2, 1, 0];
/** A list of so many values says what to write. */
const SHORT = 3;
/** `allowed: a, b`, `allowed by base: a, b` and `forbidden: a, b`, up to the end of the list. */
const LIST = /\b(allowed(?: by [^:()]*)?|forbidden): ([^;()]*)/g;

/** The message, with fewer of the values in long lists of what policies accept, if it is longer than this. */
export function shortMessage(message: string, most: number): string {
  const all = [message, ...TRIES.map((named) => withFewer(message, named))];
  return all.find(({ length }) => length <= most) ?? all.at(-1) ?? message;
}

function withFewer(message: string, named: number): string {
  return message.replace(LIST, (list, what: string, text: string) => {
    const values = text.split(', ');
    if (values.length <= Math.max(named, SHORT)) return list;
    return `${what}: ${named === 0 ? `${values.length} values` : firstOf(values, named)}`;
  });
}
