import type { Literal } from './expression.ts';

/** The text of a literal in CEL. */
export function literalText(literal: Literal): string {
  switch (literal.type) {
    case 'null':
    case 'bool':
    case 'int':
      return `${literal.value}`;
    case 'uint':
      return `${literal.value}u`;
    case 'double':
      return doubleText(literal.value);
    case 'string':
      return `"${literal.value.replaceAll(ESCAPED, escaped)}"`;
    case 'bytes':
      return `b"${[...literal.value].map(byteText).join('')}"`;
  }
}

/**
 * The characters that a literal cannot contain, the characters that the API server refuses in the body of a
 * server-side apply, and the characters that an auditor could not see: control characters, line separators, characters
 * of no width, and characters that change the direction of writing.
 */
const ESCAPED = /["\\\p{Cc}\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufffe\uffff]/gu;
const SHORT: Readonly<Record<string, string>> = { '"': '\\"', '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escaped(character: string): string {
  return SHORT[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function byteText(byte: number): string {
  const character = String.fromCharCode(byte);
  const isPrintable = byte >= 0x20 && byte < 0x7f;
  return SHORT[character] ?? (isPrintable ? character : `\\x${byte.toString(16).padStart(2, '0')}`);
}

/** JavaScript prints the shortest digits that give the same double. Without a point or an exponent, CEL reads an int. */
function doubleText(value: number): string {
  const text = Object.is(value, -0) ? '-0' : `${value}`;
  return /[.e]/.test(text) ? text : `${text}.0`;
}
