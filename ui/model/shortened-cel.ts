/** A long CEL text → what a reader looks for in it. The table of a program has a line for each policy. */

/** So much is read, or scrolled by, at a glance. */
const LINES = 40;
const CHARACTERS = 20_000;

/**
 * The lines that name the policy, the first and the last one; how many are left out between them; and the beginning of lines
 * that are too long. @returns undefined if leaving out the rest saves nothing
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
  // The second half of a character is no text.
  const beginning = line.slice(0, CHARACTERS).replace(/[\ud800-\udbff]$/, '');
  return `${beginning} … ${counted(line.length - beginning.length, 'more character')} …`;
}

function counted(count: number, what: string): string {
  return `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`;
}
