/** Splits a text into lines with control characters as visible escapes; tabs stay. */
import { visibleControls } from '../../analysis/text/printable-values.ts';

export function visibleLines(text: string): string[] {
  return text.split('\n').map((line) => line.split('\t').map(visibleControls).join('\t'));
}

/** A text with control characters as visible escapes, on as many lines as before. */
export function visibleText(text: string): string {
  return visibleLines(text).join('\n');
}
