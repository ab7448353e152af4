/**
 * Reads the block style in which kubectl, helm and most people write manifests, in a third of js-yaml's time. Block
 * style has one entry a line, plain or quoted scalars on one line, comments on lines of their own, and printable ASCII.
 * For any other text the reader returns undefined, and js-yaml reads the text. test/manifests/block-style.test.ts
 * compares the two.
 */
import { MANIFEST_SCHEMA } from './scalars.ts';

export interface BlockDocument {
  readonly value: unknown;
  /** The offset where the document's first entry begins. */
  readonly start: number;
}

/** For each list, the offsets of its items by index; for each mapping, the offsets of its fields by key. */
type EntryOffsets = Map<unknown, Map<string | number, number>>;

type Mapping = Record<string, unknown>;

/**
 * Matches characters that block style does not have, such as tabs, carriage returns, byte order marks and characters
 * that YAML does not allow.
 */
const OTHER_CHARACTER = /[^\n\x20-\x7e]/;
/** The deepest nesting that this reader accepts; js-yaml refuses a depth of 100. */
const MOST_DEPTH = 50;
/** The longest key that this reader accepts; js-yaml refuses a key of more than 1024 characters. */
const MOST_KEY = 1000;

const LINE_FEED = 10;
const SPACE = 32;
const QUOTE = 34;
const HASH = 35;
const APOSTROPHE = 39;
const DASH = 45;
const COLON = 58;
const BACKSLASH = 92;
const KEY = charactersOf('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789-./');
const KEY_START = charactersOf('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_');
/** The indicators of YAML 1.2.2, 5.3. A block indicator (`-`, `?` or `:`) begins a scalar if no space follows it. */
const INDICATOR = charactersOf(',[]{}#&*!|>\'"%@`');
const BLOCK_INDICATOR = charactersOf('-?:');
/**
 * The first characters of scalars that may have another type than string. A scalar that begins with any other character
 * is a string.
 */
const IMPLICIT_START = charactersOf(
  MANIFEST_SCHEMA.tags
    .flatMap((tag) => (tag.nodeKind === 'scalar' && tag.implicit ? (tag.implicitFirstChars ?? []) : []))
    .join(''),
);

/** Thrown for text in another style. js-yaml then decides whether the text is YAML. */
const OTHER_STYLE = Symbol('other style');

/** @returns undefined for a text in any other style, and for an invalid text */
export function readBlockStyle(text: string): BlockDocument | undefined {
  if (OTHER_CHARACTER.test(text)) return undefined;
  try {
    return readerOf(text).document();
  } catch (error) {
    if (error === OTHER_STYLE) return undefined;
    throw error;
  }
}

/**
 * Reads the text again, for the positions of its fields.
 * @param text a text that `readBlockStyle` has read
 * @returns the text's value, and the offsets of the entries of each list and mapping in this value
 */
export function offsetsInBlockStyle(text: string): BlockDocument & { readonly offsets: EntryOffsets } {
  const offsets: EntryOffsets = new Map();
  return { ...readerOf(text, offsets).document(), offsets };
}

function readerOf(text: string, offsets?: EntryOffsets): Reader {
  // A sentinel: every search ends at a line feed.
  return new Reader(text.endsWith('\n') ? text : `${text}\n`, offsets);
}

class Reader {
  readonly #text: string;
  /** The offsets of entries; undefined if the caller does not need them. */
  readonly #offsets: EntryOffsets | undefined;
  /**
   * The position of the next character. After nextLine(), the next character is the first of a line that is neither
   * empty nor a comment.
   */
  #at = 0;
  /** The column of the next character; -1 at the end of the text. */
  #column = -1;
  #depth = 0;

  constructor(text: string, offsets?: EntryOffsets) {
    this.#text = text;
    this.#offsets = offsets;
  }

  document(): BlockDocument {
    this.#nextLine();
    if (this.#column === 0 && this.#text.startsWith('---\n', this.#at)) this.#endLine(this.#at + 3);
    const start = this.#at;
    if (this.#column < 0) throw OTHER_STYLE;
    const value = this.#collection();
    if (this.#column >= 0) throw OTHER_STYLE;
    return { value, start };
  }

  /** Reads the mapping or sequence that begins at the current position. */
  #collection(): unknown {
    this.#depth += 1;
    if (this.#depth > MOST_DEPTH) throw OTHER_STYLE;
    const value = this.#isItem() ? this.#sequence() : this.#mapping();
    this.#depth -= 1;
    return value;
  }

  #sequence(): unknown[] {
    const items: unknown[] = [];
    const column = this.#column;
    do {
      const item = this.#skipSpaces(this.#at + 1);
      this.#column += item - this.#at;
      this.#at = item;
      if (this.#isLineEnd(item)) throw OTHER_STYLE;
      this.#record(items, items.length, item);
      items.push(this.#isItem() || this.#keyEnd() > 0 ? this.#collection() : this.#scalar());
    } while (this.#column === column && this.#isItem());
    if (this.#column > column) throw OTHER_STYLE;
    return items;
  }

  #mapping(): Mapping {
    const fields: Mapping = {};
    const column = this.#column;
    do {
      const end = this.#keyEnd();
      if (end < 0) throw OTHER_STYLE;
      const key = this.#keyTo(end);
      // js-yaml reads a text in which a key is a duplicate, or a property that every object has, such as `constructor`.
      if (fields[key] !== undefined) throw OTHER_STYLE;
      this.#record(fields, key, this.#at);
      this.#at = this.#skipSpaces(end + 1);
      fields[key] = this.#isLineEnd(this.#at) ? this.#below(column) : this.#scalar();
    } while (this.#column === column && !this.#isItem());
    if (this.#column > column) throw OTHER_STYLE;
    return fields;
  }

  #record(around: object, step: string | number, at: number): void {
    if (!this.#offsets) return;
    const entries = this.#offsets.get(around) ?? new Map();
    this.#offsets.set(around, entries.set(step, at));
  }

  /**
   * Reads the value below a key whose line has no value. The items of a sequence may be in the same column as the key.
   */
  #below(column: number): unknown {
    this.#at = this.#text.indexOf('\n', this.#at);
    this.#endLine(this.#at);
    return this.#column > column || (this.#column === column && this.#isItem()) ? this.#collection() : null;
  }

  #isItem(): boolean {
    if (this.#text.charCodeAt(this.#at) !== DASH) return false;
    const next = this.#text.charCodeAt(this.#at + 1);
    return next === SPACE || next === LINE_FEED;
  }

  /** The position of the colon after the key that begins at the current position; -1 if there is no colon. */
  #keyEnd(): number {
    const text = this.#text;
    const first = text.charCodeAt(this.#at);
    let end = this.#at + 1;
    if (first === QUOTE || first === APOSTROPHE) end = this.#closing(first) + 1;
    else if (KEY_START[first] !== 1) return -1;
    else while (KEY[text.charCodeAt(end)] === 1) end += 1;
    const next = text.charCodeAt(end + 1);
    const isKey = text.charCodeAt(end) === COLON && (next === SPACE || next === LINE_FEED);
    return isKey && end - this.#at < MOST_KEY ? end : -1;
  }

  #keyTo(end: number): string {
    const first = this.#text.charCodeAt(this.#at);
    if (first === QUOTE || first === APOSTROPHE) return this.#text.slice(this.#at + 1, end - 1);
    const key = this.#text.slice(this.#at, end);
    if (resolved(key, first) !== key) throw OTHER_STYLE;
    return key;
  }

  #scalar(): unknown {
    const text = this.#text;
    const start = this.#at;
    const first = text.charCodeAt(start);
    if (first === QUOTE || first === APOSTROPHE) {
      const end = this.#closing(first);
      this.#endLine(end + 1);
      return text.slice(start + 1, end);
    }
    if (INDICATOR[first] === 1) return this.#empty();
    if (BLOCK_INDICATOR[first] === 1 && text.charCodeAt(start + 1) <= SPACE) throw OTHER_STYLE;
    let end = start;
    let before = 0;
    for (let code = first; code !== LINE_FEED && !(code === HASH && before === SPACE); code = text.charCodeAt(end)) {
      if (code === SPACE && before === COLON) throw OTHER_STYLE;
      before = code;
      end += 1;
    }
    while (text.charCodeAt(end - 1) === SPACE) end -= 1;
    if (text.charCodeAt(end - 1) === COLON) throw OTHER_STYLE;
    this.#endLine(end);
    return resolved(text.slice(start, end), first);
  }

  /** Reads `{}` or `[]`, the only flow style that manifests in block style contain. */
  #empty(): unknown {
    const collection = this.#text.slice(this.#at, this.#at + 2);
    if (collection !== '{}' && collection !== '[]') throw OTHER_STYLE;
    this.#endLine(this.#at + 2);
    return collection === '{}' ? {} : [];
  }

  /** The position of the quote that ends a quoted text without escapes. */
  #closing(quote: number): number {
    const text = this.#text;
    for (let end = this.#at + 1; ; end += 1) {
      const code = text.charCodeAt(end);
      if (code === quote && text.charCodeAt(end + 1) !== quote) return end;
      if (code === quote || code === LINE_FEED || (code === BACKSLASH && quote === QUOTE)) throw OTHER_STYLE;
    }
  }

  #skipSpaces(from: number): number {
    let at = from;
    while (this.#text.charCodeAt(at) === SPACE) at += 1;
    return at;
  }

  /** Whether the line has no more content. @param at a position after a space, or at a line feed */
  #isLineEnd(at: number): boolean {
    const code = this.#text.charCodeAt(at);
    return code === LINE_FEED || code === HASH;
  }

  /** Goes on to the next line. @param end the end of a value, which only a comment may follow */
  #endLine(end: number): void {
    const text = this.#text;
    let at = this.#skipSpaces(end);
    if (text.charCodeAt(at) === HASH && at > end) at = text.indexOf('\n', at);
    if (text.charCodeAt(at) !== LINE_FEED) throw OTHER_STYLE;
    this.#at = at + 1;
    this.#nextLine();
  }

  #nextLine(): void {
    const text = this.#text;
    for (let line = this.#at; line < text.length; ) {
      const at = this.#skipSpaces(line);
      const code = text.charCodeAt(at);
      if (code !== LINE_FEED && code !== HASH) {
        this.#at = at;
        this.#column = at - line;
        return;
      }
      line = text.indexOf('\n', at) + 1 || text.length;
    }
    this.#at = text.length;
    this.#column = -1;
  }
}

function resolved(scalar: string, first: number): unknown {
  return IMPLICIT_START[first] === 1 ? MANIFEST_SCHEMA.resolveImplicitScalarTag(scalar).value : scalar;
}

/** A table in which each of the characters has the entry 1. */
function charactersOf(text: string): Uint8Array {
  const table = new Uint8Array(128);
  for (const character of text) table[character.charCodeAt(0)] = 1;
  return table;
}
