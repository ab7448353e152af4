/** Splits a text into lines. All control characters except tabs are replaced by visible escapes. */
import { visibleControls } from '../../analysis/text/printable-values.ts';

export function visibleLines(text: string): string[] {
  return text.split('\n').map((line) => line.split('\t').map(visibleControls).join('\t'));
}

/** The text with control characters as visible escapes. The result has the same number of lines. */
export function visibleText(text: string): string {
  return visibleLines(text).join('\n');
}
