/** Finds the positions of a document's fields in its text. */
import { EVENT_ID, type Event, getScalarValue } from 'js-yaml';
import type { FieldPath } from '../schema/paths.ts';
import { LineTable } from './line-table.ts';
import { newlinesIn } from './piece.ts';

interface Position {
  readonly at: number;
  readonly offset: number;
}

/** The position of a field in one line. The first line has number 1. */
export interface TextRange {
  readonly line: number;
  /** The column of the first character. Columns are counted in UTF-16 units, and the first column is 1. */
  readonly column: number;
  /** The column after the last character. */
  readonly endColumn: number;
}

type Entries = ReadonlyMap<string | number, Position>;

/**
 * Finds the positions of fields. The entries of each list and mapping are cached, because callers ask for all entries,
 * and a list may have thousands of entries.
 */
export class FieldPositions {
  readonly #text: string;
  readonly #events: readonly Event[];
  /** The entries of lists and mappings. The key is the index of the event that begins the list or mapping. */
  readonly #entries = new Map<number, Entries>();
  readonly #lines: LineTable;

  constructor(text: string, events: readonly Event[]) {
    this.#text = text;
    this.#events = events;
    this.#lines = new LineTable(text);
  }

  /**
   * The line of a field, where 0 is the first line. If the field is absent, the result is the line of the nearest
   * existing field that contains the absent field.
   */
  lineOf(path: FieldPath): number {
    // Most callers need only the line where the document begins.
    if (path.length === 0) return newlinesIn(this.#text, startOf(this.#events[1]));
    // The result is the line of the field's key. For an item of a list, the result is the line where the item begins.
    return this.#lines.of(this.#find(path).position.offset);
  }

  /**
   * The range of the field's scalar. For a list or mapping, the result is the range of its beginning. If the field is
   * absent, the result is the range of the field's nearest existing parent.
   */
  rangeOf(path: FieldPath): TextRange {
    const { offset, at } = this.#find(path).position;
    const start = this.#text.lastIndexOf('\n', offset - 1) + 1;
    const [line = ''] = this.#text.slice(start).split('\n', 1);
    const event = this.#events[at];
    const value = event?.type === EVENT_ID.SCALAR ? event.valueEnd - start : 0;
    // If a value has several lines, the range ends at the end of its first line.
    const isInLine = value > offset - start && value <= line.length;
    const end = isInLine ? value + (/["']/.test(line[value] ?? '') ? 1 : 0) : line.replace(/\s+#.*$|\s+$/, '').length;
    return { line: this.lineOf(path) + 1, column: offset - start + 1, endColumn: end + 1 };
  }

  /**
   * The text of a scalar as it is written, without quotes. The text is undefined if the field is absent or not a
   * scalar.
   */
  textOf(path: FieldPath): string | undefined {
    const { position, whole } = this.#find(path);
    const event = whole ? this.#events[position.at] : undefined;
    return event?.type === EVENT_ID.SCALAR ? getScalarValue(this.#text, event) : undefined;
  }

  /** @returns the position of the longest existing part of the path, and whether the whole path exists */
  #find(path: FieldPath): { readonly position: Position; readonly whole: boolean } {
    // The first event belongs to the document, so the second event begins the document's value.
    let position: Position = { at: 1, offset: startOf(this.#events[1]) };
    for (const step of path) {
      const found = this.#entriesOf(position.at).get(step);
      if (found === undefined) return { position, whole: false };
      position = found;
    }
    return { position, whole: true };
  }

  #entriesOf(node: number): Entries {
    const known = this.#entries.get(node) ?? entriesOf(this.#text, this.#events, node);
    this.#entries.set(node, known);
    return known;
  }
}

/**
 * The entries of a list by index, or the entries of a mapping by key. The parser reports duplicate keys, so this
 * function does not report duplicate keys.
 */
function entriesOf(text: string, events: readonly Event[], node: number): Entries {
  const entries = new Map<string | number, Position>();
  const type = events[node]?.type;
  if (type !== EVENT_ID.SEQUENCE && type !== EVENT_ID.MAPPING) return entries;
  for (let at = node + 1; isOpen(events, at); ) {
    const entry = events[at];
    const next = after(events, at);
    if (type === EVENT_ID.SEQUENCE) entries.set(entries.size, { at, offset: startOf(entry) });
    else if (entry?.type === EVENT_ID.SCALAR)
      entries.set(getScalarValue(text, entry), { at: next, offset: entry.valueStart });
    at = type === EVENT_ID.SEQUENCE ? next : after(events, next);
  }
  return entries;
}

function isOpen(events: readonly Event[], at: number): boolean {
  return at < events.length && events[at]?.type !== EVENT_ID.POP;
}

/** The index of the first event after the end of a node. */
function after(events: readonly Event[], node: number): number {
  let depth = 0;
  let at = node;
  do {
    const { type } = events[at] ?? {};
    if (type === EVENT_ID.MAPPING || type === EVENT_ID.SEQUENCE) depth += 1;
    else if (type === EVENT_ID.POP) depth -= 1;
    at += 1;
  } while (depth > 0 && at < events.length);
  return at;
}

function startOf(event: Event | undefined): number {
  switch (event?.type) {
    case EVENT_ID.MAPPING:
    case EVENT_ID.SEQUENCE:
      return event.start;
    case EVENT_ID.SCALAR:
      return Math.max(0, event.valueStart);
    case EVENT_ID.ALIAS:
      return event.anchorStart;
    default:
      return 0;
  }
}
