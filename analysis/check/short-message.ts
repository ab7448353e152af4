/** Shortens the messages of rules, so that a message fits into a line of the screen. */
import { firstOf } from '../../operator/text/wording.ts';

/** The maximum number of columns of a line in a pipe or a file. */
export const MOST_COLUMNS = 200;

/**
 * The possible numbers of values in a shortened list. The code tries the numbers in this order, until the message is
 * short enough.
 */
const TRIES = [8, 4, 2, 1, 0];
/**
 * A list with at most SHORT values is not shortened. Readers of a short list therefore see every value that the
 * policies accept.
 */
const SHORT = 3;
/**
 * Matches a list of values in a message, up to the list's end: `allowed: a, b`, `allowed by base: a, b` or `forbidden:
 * a, b`.
 */
const LIST = /\b(allowed(?: by [^:()]*)?|forbidden): ([^;()]*)/g;

/**
 * Shortens a message of more than `most` characters. In a shortened message, each long list names fewer of the values
 * that policies accept.
 */
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
