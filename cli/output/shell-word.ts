/** Matches text whose characters have no special meaning in a word of a shell. */
const PLAIN = /^[\w./:@%+,-]+$/;

/** The text as one word for a POSIX shell. The word is in quotes if the text needs quotes. */
export function shellWord(text: string): string {
  return PLAIN.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
