/** The positions of a document's fields in its text. */
import { EVENT_ID, type Event, getScalarValue } from 'js-yaml';
import type { FieldPath } from '../schema/paths.ts';
import { newlinesIn } from './piece.ts';

interface Position {
  readonly at: number;
  readonly offset: number;
}

/**
 * Caches each list or mapping that it has walked, because callers ask for all of its entries, which may be thousands.
 */
export class Places {
  readonly #text: string;
  readonly #events: readonly Event[];
  /** By the event that begins the sequence. */
  readonly #items = new Map<number, readonly Position[]>();
  /** The key is the event that begins the mapping. */
  readonly #fields = new Map<number, ReadonlyMap<string, Position>>();
  #lineFeeds: readonly number[] | undefined;

  constructor(text: string, events: readonly Event[]) {
    this.#text = text;
    this.#events = events;
  }

  /** From 0; if the field is absent, the line of the nearest existing field around it. */
  lineOf(path: FieldPath): number {
    // Most documents need only their beginning.
    if (path.length === 0) return newlinesIn(this.#text, startOf(this.#events[1]));
    this.#lineFeeds ??= lineFeedsIn(this.#text);
    return countBelow(this.#lineFeeds, this.#offsetOf(path));
  }

  /** The scalar as written, without quotes; undefined when the field is absent or not a scalar. */
  textOf(path: FieldPath): string | undefined {
    const { position, whole } = this.#find(path);
    const event = whole ? this.#events[position.at] : undefined;
    return event?.type === EVENT_ID.SCALAR ? getScalarValue(this.#text, event) : undefined;
  }

  /** The position of its key, or the beginning of its item. */
  #offsetOf(path: FieldPath): number {
    return this.#find(path).position.offset;
  }

  /** @returns how much of the path exists, and whether that is the whole path */
  #find(path: FieldPath): { readonly position: Position; readonly whole: boolean } {
    // The first event is the document's.
    let position: Position = { at: 1, offset: startOf(this.#events[1]) };
    for (const step of path) {
      const { at } = position;
      const found = typeof step === 'number' ? this.#itemsOf(at)[step] : this.#fieldsOf(at).get(step);
      if (found === undefined) return { position, whole: false };
      position = found;
    }
    return { position, whole: true };
  }

  #itemsOf(sequence: number): readonly Position[] {
    const known = this.#items.get(sequence) ?? itemsOf(this.#events, sequence);
    this.#items.set(sequence, known);
    return known;
  }

  #fieldsOf(mapping: number): ReadonlyMap<string, Position> {
    const known = this.#fields.get(mapping) ?? fieldsOf(this.#text, this.#events, mapping);
    this.#fields.set(mapping, known);
    return known;
  }
}

function itemsOf(events: readonly Event[], sequence: number): Position[] {
  if (events[sequence]?.type !== EVENT_ID.SEQUENCE) return [];
  const items: Position[] = [];
  for (let at = sequence + 1; isOpen(events, at); at = after(events, at))
    items.push({ at, offset: startOf(events[at]) });
  return items;
}

/** Duplicate keys are reported elsewhere. */
function fieldsOf(text: string, events: readonly Event[], mapping: number): Map<string, Position> {
  const fields = new Map<string, Position>();
  if (events[mapping]?.type !== EVENT_ID.MAPPING) return fields;
  for (let at = mapping + 1; isOpen(events, at); ) {
    const key = events[at];
    const value = after(events, at);
    if (key?.type === EVENT_ID.SCALAR) fields.set(getScalarValue(text, key), { at: value, offset: key.valueStart });
    at = after(events, value);
  }
  return fields;
}

function isOpen(events: readonly Event[], at: number): boolean {
  return at < events.length && events[at]?.type !== EVENT_ID.POP;
}

/** The event after a whole node. */
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

function lineFeedsIn(text: string): number[] {
  const offsets: number[] = [];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) offsets.push(at);
  return offsets;
}

/** @param sorted ascending */
function countBelow(sorted: readonly number[], limit: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
