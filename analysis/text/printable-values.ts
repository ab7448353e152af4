/** Makes strings from manifests and clusters printable, before they are written to a terminal, a log or a web page. */
import { printable } from '../../operator/text/printable.ts';

/**
 * A copy of a value in which every string is printable. The copy is for tables, and for formats that have no escapes.
 */
export function printableTexts<Value>(value: Value): Value {
  return mapped(value) as Value;
}

function mapped(value: unknown): unknown {
  if (typeof value === 'string') return printable(value);
  if (Array.isArray(value)) return value.map(mapped);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [printable(key), mapped(part)]));
}

/**
 * Matches characters that terminals interpret, but that JSON.stringify does not escape: C1 controls, bidirectional
 * controls and separators.
 */
const UNESCAPED = /[\u007f-\u009f\p{Bidi_Control}\u2028\u2029]/gu;

/**
 * The JSON text of a value. The JSON text is safe to print on a terminal. If the text is parsed, the result is the
 * original value.
 */
export function jsonText(value: unknown): string {
  return escapedControls(JSON.stringify(value, null, 2));
}

/** Escapes control characters for JSON and for YAML scalars in double quotes. */
export function escapedControls(text: string): string {
  return text.replace(UNESCAPED, escapeOf);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the expression must match control characters
const C0 = /[\x00-\x1f]/g;

/** A string as one line for the page. In the line, each control character is visible as an escape. */
export function visibleControls(text: string): string {
  return escapedControls(text.replace(C0, escapeOf)).toWellFormed();
}

function escapeOf(one: string): string {
  return `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

export function hasControls(text: string): boolean {
  return text.search(UNESCAPED) !== -1;
}
