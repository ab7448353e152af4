/** Replaces ranges of a text, and finds where the lines of a text begin and end. */

export interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * The text after all edits. The edits are made in the order of their positions. Insertions at the same position keep
 * their order.
 */
export function withEdits(text: string, edits: readonly TextEdit[]): string {
  let at = 0;
  let made = '';
  for (const { start, end, text: replacement } of edits.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    made += text.slice(at, Math.max(at, start)) + replacement;
    at = Math.max(at, end);
  }
  return made + text.slice(at);
}

export function lineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}

/** The offset at which the next line begins. For an offset in the last line, the result is the end of the text. */
export function nextLine(text: string, offset: number): number {
  const end = text.indexOf('\n', offset);
  return end === -1 ? text.length : end + 1;
}

/** The offset at which the line ends, before its line break. */
export function lineEnd(text: string, offset: number): number {
  const end = text.indexOf('\n', offset);
  if (end === -1) return text.length;
  return text[end - 1] === '\r' && end > offset ? end - 1 : end;
}

/** Whether only spaces precede the offset in the offset's line. */
export function isFirstInLine(text: string, offset: number): boolean {
  return text.slice(lineStart(text, offset), offset).trim() === '';
}

/** The kind of line break that the text around the offset uses. */
export function lineBreak(text: string, offset: number): string {
  const next = text.indexOf('\n', offset);
  const at = next === -1 ? text.lastIndexOf('\n') : next;
  return at > 0 && text[at - 1] === '\r' ? '\r\n' : '\n';
}

/**
 * Inserts lines below the line of an offset.
 * @param below an offset in the line above the inserted lines. After a block scalar, the offset is the beginning of the
 * next line
 */
export function insertedLines(text: string, below: number, lines: readonly string[]): TextEdit {
  const isBegin = below > 0 && text[below - 1] === '\n';
  const start = isBegin ? below : nextLine(text, below);
  const end = lineBreak(text, Math.max(0, start - 1));
  const isComplete = start === 0 || text[start - 1] === '\n';
  const joined = lines.join(end);
  return { start, end: start, text: isComplete ? `${joined}${end}` : `${end}${joined}` };
}
