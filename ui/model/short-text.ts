/** The beginning of a text that may be of any length: a condition names everything that it is about. */

/** How many characters of a message are read at a glance. */
export const MESSAGE_CHARACTERS = 400;

/**
 * @param most so many characters
 * @returns undefined if the text is not so much longer that leaving out the rest saves anything
 */
export function shortText(text: string, most: number): string | undefined {
  if (text.length <= most * 1.5) return undefined;
  const cut = text.slice(0, most);
  const space = cut.lastIndexOf(' ');
  if (space > most / 2) return cut.slice(0, space);
  // The second half of a character is no text.
  return cut.replace(/[\ud800-\udbff]$/, '');
}
