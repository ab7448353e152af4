/**
 * Reads the scalars and flow collections that block-style.ts accepts. block-style.ts accepts quoted scalars, plain
 * scalars and flow collections on one line. block-style.ts also accepts literal and folded scalars without an
 * indentation indicator.
 */
import { MANIFEST_SCHEMA } from './scalars.ts';

/** Thrown for text in another style. js-yaml then decides whether the text is YAML. */
export const OTHER_STYLE = Symbol('other style');

export const LINE_FEED = 10;
export const SPACE = 32;
export const QUOTE = 34;
export const HASH = 35;
export const APOSTROPHE = 39;
const COMMA = 44;
export const DASH = 45;
export const COLON = 58;
const GREATER = 62;
const OPENING_BRACKET = 91;
const BACKSLASH = 92;
const CLOSING_BRACKET = 93;
const OPENING_BRACE = 123;
const PIPE = 124;
const CLOSING_BRACE = 125;
const KEY = charactersOf('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789-./');
const KEY_START = charactersOf('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_');
/**
 * The indicators of YAML 1.2.2, 5.3. A block indicator (`-`, `?` or `:`) can begin a scalar, if no space follows the
 * indicator.
 */
export const INDICATOR = charactersOf(',[]{}#&*!|>\'"%@`');
export const BLOCK_INDICATOR = charactersOf('-?:');
/**
 * Characters that may begin a scalar of another type than string. A scalar that begins with any other character is a
 * string.
 */
const IMPLICIT_START = charactersOf(
  MANIFEST_SCHEMA.tags
    .flatMap((tag) => (tag.nodeKind === 'scalar' && tag.implicit ? (tag.implicitFirstChars ?? []) : []))
    .join(''),
);
/** The escapes of double-quoted scalars that manifests use (YAML 1.2.2, 5.7). */
const ESCAPES: ReadonlyMap<number, string> = new Map(
  Object.entries({ '"': '"', '\\': '\\', '/': '/', n: '\n', t: '\t', r: '\r' }).map(([character, meant]) => [
    character.charCodeAt(0),
    meant,
  ]),
);
/** The deepest nesting of flow collections that this reader accepts. */
const MOST_DEPTH = 20;
/** The longest key that this reader accepts, in characters. js-yaml refuses a key of more than 1024 characters. */
const MOST_KEY = 1000;

/** A value, and the position after the value. */
interface Read {
  readonly value: unknown;
  readonly end: number;
}

/** Whether a literal or folded scalar begins at the position. */
export function beginsBlockScalar(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === PIPE || code === GREATER;
}

/** Whether a flow collection begins at the position. */
export function beginsFlow(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === OPENING_BRACKET || code === OPENING_BRACE;
}

/** Reads a quoted scalar that ends in the same line. */
export function readQuoted(text: string, at: number): Read {
  const quote = text.charCodeAt(at);
  let isPlain = true;
  for (let end = at + 1; ; end += 1) {
    const code = text.charCodeAt(end);
    if (code === quote) {
      if (quote === QUOTE || text.charCodeAt(end + 1) !== quote) {
        const inside = text.slice(at + 1, end);
        return { value: isPlain ? inside : unescaped(inside, quote), end: end + 1 };
      }
      isPlain = false;
      end += 1;
    } else if (code === BACKSLASH && quote === QUOTE) {
      isPlain = false;
      end += 1;
    } else if (code === LINE_FEED) throw OTHER_STYLE;
  }
}

function unescaped(inside: string, quote: number): string {
  if (quote === APOSTROPHE) return inside.replaceAll("''", "'");
  let text = '';
  let from = 0;
  for (let at = inside.indexOf('\\'); at >= 0; at = inside.indexOf('\\', from)) {
    const meant = ESCAPES.get(inside.charCodeAt(at + 1));
    if (meant === undefined) throw OTHER_STYLE;
    text += inside.slice(from, at) + meant;
    from = at + 2;
  }
  return text + inside.slice(from);
}

/** The value of a plain scalar. */
export function resolved(scalar: string, first: number): unknown {
  return IMPLICIT_START[first] === 1 ? MANIFEST_SCHEMA.resolveImplicitScalarTag(scalar).value : scalar;
}

/** Reads a flow collection that ends in the same line. */
export function readFlow(text: string, at: number, depth = 0): Read {
  if (depth > MOST_DEPTH) throw OTHER_STYLE;
  return text.charCodeAt(at) === OPENING_BRACKET ? readFlowSequence(text, at, depth) : readFlowMapping(text, at, depth);
}

function readFlowSequence(text: string, start: number, depth: number): Read {
  const items: unknown[] = [];
  let at = skipSpaces(text, start + 1);
  if (text.charCodeAt(at) === CLOSING_BRACKET) return { value: items, end: at + 1 };
  for (;;) {
    const { value, end } = readFlowValue(text, at, depth);
    items.push(value);
    at = skipSpaces(text, end);
    const code = text.charCodeAt(at);
    if (code === CLOSING_BRACKET) return { value: items, end: at + 1 };
    if (code !== COMMA) throw OTHER_STYLE;
    at = skipSpaces(text, at + 1);
  }
}

function readFlowMapping(text: string, start: number, depth: number): Read {
  const fields: Record<string, unknown> = {};
  let at = skipSpaces(text, start + 1);
  if (text.charCodeAt(at) === CLOSING_BRACE) return { value: fields, end: at + 1 };
  for (;;) {
    const colon = keyEnd(text, at);
    if (colon < 0 || text.charCodeAt(colon + 1) !== SPACE) throw OTHER_STYLE;
    const key = keyBetween(text, at, colon);
    // If a key is a duplicate, js-yaml reads the text. js-yaml also reads the text if a key, such as `constructor`, is
    // a property of every object.
    if (fields[key] !== undefined) throw OTHER_STYLE;
    const { value, end } = readFlowValue(text, skipSpaces(text, colon + 1), depth);
    fields[key] = value;
    at = skipSpaces(text, end);
    const code = text.charCodeAt(at);
    if (code === CLOSING_BRACE) return { value: fields, end: at + 1 };
    if (code !== COMMA) throw OTHER_STYLE;
    at = skipSpaces(text, at + 1);
  }
}

function readFlowValue(text: string, at: number, depth: number): Read {
  const first = text.charCodeAt(at);
  if (first === QUOTE || first === APOSTROPHE) return readQuoted(text, at);
  if (beginsFlow(text, at)) return readFlow(text, at, depth + 1);
  const isDashed = first === DASH && KEY[text.charCodeAt(at + 1)] === 1;
  if (first <= SPACE || INDICATOR[first] === 1 || (BLOCK_INDICATOR[first] === 1 && !isDashed)) throw OTHER_STYLE;
  let end = at;
  for (let code = first; code !== COMMA && code !== CLOSING_BRACKET && code !== CLOSING_BRACE; ) {
    // A colon or a comment may end the scalar, and a bracket may begin another collection.
    if (code === LINE_FEED || code === HASH || code === OPENING_BRACKET || code === OPENING_BRACE) throw OTHER_STYLE;
    if (code === COLON && KEY[text.charCodeAt(end + 1)] !== 1) throw OTHER_STYLE;
    end += 1;
    code = text.charCodeAt(end);
  }
  while (text.charCodeAt(end - 1) === SPACE) end -= 1;
  return { value: resolved(text.slice(at, end), first), end };
}

/**
 * The position of the colon after the key that begins at the given position. The result is -1 if no key in a simple
 * style begins at the position.
 */
export function keyEnd(text: string, at: number): number {
  const first = text.charCodeAt(at);
  let end = at + 1;
  if (first === QUOTE || first === APOSTROPHE) end = readQuoted(text, at).end;
  else if (KEY_START[first] !== 1) return -1;
  else while (KEY[text.charCodeAt(end)] === 1) end += 1;
  const next = text.charCodeAt(end + 1);
  const isKey = text.charCodeAt(end) === COLON && (next === SPACE || next === LINE_FEED);
  return isKey && end - at < MOST_KEY ? end : -1;
}

/** The key that begins at the given position and ends at its colon. */
export function keyBetween(text: string, at: number, end: number): string {
  const first = text.charCodeAt(at);
  if (first === QUOTE || first === APOSTROPHE) return String(readQuoted(text, at).value);
  const key = text.slice(at, end);
  if (resolved(key, first) !== key) throw OTHER_STYLE;
  return key;
}

/** A literal or folded scalar, and the position of the line after the scalar. */
interface BlockScalar {
  readonly value: string;
  readonly end: number;
}

/**
 * Reads a literal or folded scalar (YAML 1.2.2, 8.1).
 * @param parent the column of the collection that contains the scalar. The collection is indented less than the lines
 * of the scalar
 */
export function readBlockScalar(text: string, at: number, parent: number): BlockScalar {
  const lineEnd = text.indexOf('\n', at);
  const [, style, chomping] = /^([|>])([-+]?)(?: +(?:#.*)?)?$/.exec(text.slice(at, lineEnd)) ?? [];
  if (style === undefined) throw OTHER_STYLE;
  const { lines, end } = indentedLines(text, lineEnd + 1, parent);
  let last = lines.length;
  while (last > 0 && lines[last - 1] === '') last -= 1;
  const content = style === '|' ? lines.slice(0, last).join('\n') : folded(lines.slice(0, last));
  if (chomping === '-') return { value: content, end };
  if (chomping === '+') return { value: content + '\n'.repeat(lines.length - last + (last > 0 ? 1 : 0)), end };
  return { value: last > 0 ? `${content}\n` : '', end };
}

/** The lines of a block scalar without their indentation. Empty lines at the end belong to the scalar. */
function indentedLines(text: string, from: number, parent: number) {
  const lines: string[] = [];
  let indent = -1;
  let at = from;
  while (at < text.length) {
    const lineEnd = text.indexOf('\n', at);
    const start = skipSpaces(text, at);
    const column = start - at;
    if (start === lineEnd) {
      // If an empty line has more spaces than the indentation, the additional spaces belong to the scalar.
      if (indent < 0 ? column > parent + 1 : column > indent) throw OTHER_STYLE;
      lines.push('');
    } else {
      if (indent < 0 ? column <= parent : column < indent) break;
      if (indent < 0) indent = column;
      lines.push(text.slice(at + indent, lineEnd));
    }
    at = lineEnd + 1;
  }
  return { lines, end: at };
}

/**
 * Folds lines: a single line break becomes a space. If several line breaks follow each other, one of them is dropped.
 */
function folded(lines: readonly string[]): string {
  let text = '';
  let empty = 0;
  for (const [index, line] of lines.entries()) {
    if (line === '') empty += 1;
    else {
      // Folding keeps the line breaks around a line with more indentation.
      if (line.startsWith(' ')) throw OTHER_STYLE;
      text += index === empty || empty > 0 ? '\n'.repeat(empty) : ' ';
      text += line;
      empty = 0;
    }
  }
  return text;
}

export function skipSpaces(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) === SPACE) at += 1;
  return at;
}

/** A table of characters. The table has a 1 for each given character. */
function charactersOf(text: string): Uint8Array {
  const table = new Uint8Array(128);
  for (const character of text) table[character.charCodeAt(0)] = 1;
  return table;
}
