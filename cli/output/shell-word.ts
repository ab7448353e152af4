/** Characters that mean nothing to a shell inside of a word. */
const PLAIN = /^[\w./:@%+,-]+$/;

/** The text as one word of a POSIX shell, in quotes if the word needs them. */
export function shellWord(text: string): string {
  return PLAIN.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
