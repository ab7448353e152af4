/** Splits a text into lines. Control characters except tabs become visible escapes. */
import { visibleControls } from '../../analysis/text/printable-values.ts';

export function visibleLines(text: string): string[] {
  return text.split('\n').map((line) => line.split('\t').map(visibleControls).join('\t'));
}

/** The text with control characters as visible escapes. The number of lines does not change. */
export function visibleText(text: string): string {
  return visibleLines(text).join('\n');
}
