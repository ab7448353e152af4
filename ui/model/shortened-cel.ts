/**
 * Shortens a long CEL expression to the lines that matter to a reader. The table of a program has a line for each
 * policy. The CEL expression of the table is therefore long.
 */

/** The maximum number of lines of an expression that is shown in full. */
const LINES = 40;
const CHARACTERS = 20_000;

/**
 * Keeps the first line, the last line, and the lines that name the policy. Where lines are left out, the result has the
 * number of these lines. A line that is too long is cut.
 *
 * @returns undefined if the shortened text would not be shorter
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
  // If the cut splits a surrogate pair, the first half is removed, because half a pair is not a character.
  const beginning = line.slice(0, CHARACTERS).replace(/[\ud800-\udbff]$/, '');
  return `${beginning} … ${counted(line.length - beginning.length, 'more character')} …`;
}

function counted(count: number, what: string): string {
  return `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`;
}
