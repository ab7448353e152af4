/** Turns untrusted text into one line that is safe to print. Shortens the line to a maximum length if needed. */

/**
 * Characters that control a terminal or end a line: C0 and C1 controls, bidirectional controls, and line and paragraph
 * separators.
 */
const UNPRINTABLE = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]+/gu;

/**
 * Returns the text as one line that is safe to print. Names and values in messages are untrusted. Untrusted text may
 * contain terminal escape sequences, line breaks, bidirectional controls and lone surrogates.
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, ' ').toWellFormed();
}

/**
 * Returns the text as one printable line of at most `limit` UTF-16 units. The function cuts a longer line and adds an
 * ellipsis.
 */
export function bounded(text: string, limit: number): string {
  const line = printable(text);
  return line.length <= limit ? line : `${line.slice(0, limit - 1).toWellFormed()}…`;
}
