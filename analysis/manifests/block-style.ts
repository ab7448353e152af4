/**
 * Reads YAML in block style, the style in which kubectl, helm and most people write manifests. The block-style reader
 * needs a third of the time of js-yaml. In block style, each line has one entry, comments are allowed, and all
 * characters are printable ASCII. Values are the scalars and flow collections of scalar-style.ts. For any other text,
 * the reader returns undefined, and js-yaml reads the text. test/manifests/block-style.test.ts compares this reader
 * with js-yaml.
 */
import {
  APOSTROPHE,
  BLOCK_INDICATOR,
  beginsBlockScalar,
  beginsFlow,
  COLON,
  DASH,
  HASH,
  INDICATOR,
  keyBetween,
  keyEnd,
  LINE_FEED,
  OTHER_STYLE,
  QUOTE,
  readBlockScalar,
  readFlow,
  readQuoted,
  resolved,
  SPACE,
  skipSpaces,
} from './scalar-style.ts';

export interface BlockDocument {
  readonly value: unknown;
  /** The offset where the document's first entry begins. */
  readonly start: number;
}

/**
 * The offsets of entries in the text. For a list, the key is an item's index. For a mapping, the key is a field's name.
 */
type EntryOffsets = Map<unknown, Map<string | number, number>>;

type Mapping = Record<string, unknown>;

/**
 * Matches characters that block style does not allow, such as tabs, carriage returns and byte order marks. Also matches
 * characters that YAML does not allow.
 */
const OTHER_CHARACTER = /[^\n\x20-\x7e]/;
/** The deepest nesting that this reader accepts. js-yaml refuses a depth of 100. */
const MOST_DEPTH = 50;

/** @returns undefined for a text in another style, and for an invalid text */
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
 * Reads the text a second time, to find the positions of its fields.
 * @param text a text that `readBlockStyle` accepted
 * @returns the text's value, and the offsets of the entries of each list and mapping in this value
 */
export function offsetsInBlockStyle(text: string): BlockDocument & { readonly offsets: EntryOffsets } {
  const offsets: EntryOffsets = new Map();
  return { ...readerOf(text, offsets).document(), offsets };
}

function readerOf(text: string, offsets?: EntryOffsets): Reader {
  // The line feed at the end is a sentinel, because every search ends at a line feed.
  return new Reader(text.endsWith('\n') ? text : `${text}\n`, offsets);
}

class Reader {
  readonly #text: string;
  /** The offsets of entries; undefined if the caller does not need the offsets. */
  readonly #offsets: EntryOffsets | undefined;
  /**
   * The position of the next character. After nextLine(), the position is the first character of a line that is neither
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
      const item = skipSpaces(this.#text, this.#at + 1);
      this.#column += item - this.#at;
      this.#at = item;
      if (this.#isLineEnd(item)) throw OTHER_STYLE;
      this.#record(items, items.length, item);
      items.push(this.#isItem() || keyEnd(this.#text, item) > 0 ? this.#collection() : this.#scalar());
    } while (this.#column === column && this.#isItem());
    if (this.#column > column) throw OTHER_STYLE;
    return items;
  }

  #mapping(): Mapping {
    const fields: Mapping = {};
    const column = this.#column;
    do {
      const end = keyEnd(this.#text, this.#at);
      if (end < 0) throw OTHER_STYLE;
      const key = keyBetween(this.#text, this.#at, end);
      // If a key is a duplicate, js-yaml reads the text. js-yaml also reads the text if a key, such as `constructor`,
      // is a property of every object.
      if (fields[key] !== undefined) throw OTHER_STYLE;
      this.#record(fields, key, this.#at);
      this.#at = skipSpaces(this.#text, end + 1);
      fields[key] = this.#isLineEnd(this.#at) ? this.#below(column) : this.#scalar(column);
    } while (this.#column === column && !this.#isItem());
    if (this.#column > column) throw OTHER_STYLE;
    return fields;
  }

  #record(around: object, step: string | number, at: number): void {
    if (!this.#offsets) return;
    const entries = this.#offsets.get(around) ?? new Map();
    this.#offsets.set(around, entries.set(step, at));
  }

  /** Reads the value below a key whose line has no value. The items of a list may be in the same column as the key. */
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

  /**
   * @param parent the column of the mapping that contains the scalar; undefined in a list. The reader leaves a literal
   * or folded scalar in a list to js-yaml. The reason is that js-yaml reports the line of the scalar's text, not the
   * line of the item
   */
  #scalar(parent?: number): unknown {
    const text = this.#text;
    const start = this.#at;
    const first = text.charCodeAt(start);
    if (first === QUOTE || first === APOSTROPHE) {
      const { value, end } = readQuoted(text, start);
      this.#endLine(end);
      return value;
    }
    if (beginsFlow(text, start)) {
      const { value, end } = readFlow(text, start);
      this.#endLine(end);
      return value;
    }
    if (parent !== undefined && beginsBlockScalar(text, start)) {
      const { value, end } = readBlockScalar(text, start, parent);
      this.#at = end;
      this.#nextLine();
      return value;
    }
    if (INDICATOR[first] === 1) throw OTHER_STYLE;
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

  /** Whether the rest of the line has no content. @param at a position after a space, or at a line feed */
  #isLineEnd(at: number): boolean {
    const code = this.#text.charCodeAt(at);
    return code === LINE_FEED || code === HASH;
  }

  /** Moves to the next line. @param end the end of a value. In the rest of the line, only a comment may follow */
  #endLine(end: number): void {
    const text = this.#text;
    let at = skipSpaces(this.#text, end);
    if (text.charCodeAt(at) === HASH && at > end) at = text.indexOf('\n', at);
    if (text.charCodeAt(at) !== LINE_FEED) throw OTHER_STYLE;
    this.#at = at + 1;
    this.#nextLine();
  }

  #nextLine(): void {
    const text = this.#text;
    for (let line = this.#at; line < text.length; ) {
      const at = skipSpaces(this.#text, line);
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
