/** Shortens a long CEL text to the lines that a reader looks for. The table of a program has a line for each policy. */

/** A text of at most this many lines is shown unshortened. */
const LINES = 40;
const CHARACTERS = 20_000;

/**
 * Keeps the lines that name the policy, the first line and the last line, with the number of left out lines between
 * them. Lines that are too long are cut.
 *
 * @returns undefined if shortening saves nothing
 */
export function shortenedCel(text: string, policy: string): string | undefined {
  const lines = text.split('\n');
  if (lines.length <= LINES && text.length <= CHARACTERS) return undefined;
  const named = JSON.stringify(policy);
  const shown: string[] = [];
  let left = 0;
  for (const [i, line] of lines.entries()) {
    if (lines.length > LINES && i > 0 && i < lines.length - 1 && !line.includes(named)) {
      left++;
      continue;
    }
    shown.push(...leftOut(left), shortLine(line));
    left = 0;
  }
  return shown.join('\n');
}

function leftOut(lines: number): string[] {
  return lines === 0 ? [] : [`… ${counted(lines, 'line')} …`];
}

function shortLine(line: string): string {
  if (line.length <= CHARACTERS) return line;
  // Half of a surrogate pair is not a character.
  const beginning = line.slice(0, CHARACTERS).replace(/[\ud800-\udbff]$/, '');
  return `${beginning} … ${counted(line.length - beginning.length, 'more character')} …`;
}

function counted(count: number, what: string): string {
  return `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`;
}
