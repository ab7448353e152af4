/**
 * Shortens a text that may be of any length. For example, the message of a condition may name many objects.
 */

/** A number of characters that users can read at a glance. */
export const MESSAGE_CHARACTERS = 400;

/**
 * @param most the maximum number of characters to keep
 * @returns undefined if the shortened text would not be much shorter
 */
export function shortText(text: string, most: number): string | undefined {
  if (text.length <= most * 1.5) return undefined;
  const cut = text.slice(0, most);
  const space = cut.lastIndexOf(' ');
  if (space > most / 2) return cut.slice(0, space);
  // If the cut splits a surrogate pair, the function removes the first half, because half a pair is not a character.
  return cut.replace(/[\ud800-\udbff]$/, '');
}
