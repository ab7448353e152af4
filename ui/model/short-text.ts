/**
 * Shortens a text that may be of any length. For example, the message of a condition names everything that the
 * condition is about.
 */

/** The number of characters that people read at a glance. */
export const MESSAGE_CHARACTERS = 400;

/** @param most the most characters to keep @returns undefined if shortening would save too little */
export function shortText(text: string, most: number): string | undefined {
  if (text.length <= most * 1.5) return undefined;
  const cut = text.slice(0, most);
  const space = cut.lastIndexOf(' ');
  if (space > most / 2) return cut.slice(0, space);
  // Half of a surrogate pair is not a character.
  return cut.replace(/[\ud800-\udbff]$/, '');
}
