/** A YAML or JSON document: its value, and the lines of its fields, from one pass over the text. */
import { constructFromEvents, EVENT_ID, type Event, getScalarValue, parseEvents, YAMLException } from 'js-yaml';
import { MANIFEST_SCHEMA } from './scalars.ts';

/** Keys and indices from the document's root. */
export type FieldPath = readonly (string | number)[];

export interface Document {
  readonly value: unknown;
  /** The line of a field, from 1; of the nearest field around it that is there, when it is not. */
  lineOf(path: FieldPath): number;
}

/** Why a text is no document: where, and what to do. */
export class DocumentError extends Error {
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

/** Values that aliases repeat are walked again each time: no manifest has so many. */
const MOST_VALUES = 1_000_000;
const MOST_ALIASES = 10_000;
const HELM = /(?:^|[:\-\s[{])\{\{[-\s]?.*?\}\}/m;

/**
 * @param firstLine the line of the text's beginning
 * @returns undefined when it holds nothing but comments
 * @throws DocumentError
 */
export function parseDocument(text: string, firstLine: number): Document | undefined {
  const events = eventsOf(text, firstLine);
  if (events.length === 0) return undefined;
  const lineAt = (offset: number) => firstLine + newlines(text, offset);
  const value = constructed(text, events, firstLine);
  if (events.some(({ type }) => type === EVENT_ID.ALIAS)) checkAliases(value, firstLine);
  return { value, lineOf: (path) => lineAt(offsetOf(text, events, path)) };
}

function eventsOf(text: string, firstLine: number): Event[] {
  try {
    return parseEvents(text, {});
  } catch (error) {
    throw documentError(error, text, firstLine);
  }
}

function constructed(text: string, events: Event[], firstLine: number): unknown {
  try {
    const [value] = constructFromEvents(events, {
      source: text,
      schema: MANIFEST_SCHEMA,
      maxAliases: MOST_ALIASES,
    });
    return value;
  } catch (error) {
    throw documentError(error, text, firstLine);
  }
}

function documentError(error: unknown, text: string, firstLine: number): DocumentError {
  const helm = HELM.exec(text);
  if (helm) {
    const line = firstLine + newlines(text, helm.index + helm[0].indexOf('{{'));
    return new DocumentError(line, 'a Helm template, no YAML: render it first, with helm template');
  }
  if (!(error instanceof YAMLException)) return new DocumentError(firstLine, `not YAML: ${(error as Error).message}`);
  const line = firstLine + (error.mark?.line ?? 0);
  return new DocumentError(line, `not YAML: ${error.reason.split('\n')[0]}`);
}

/** @throws DocumentError for a value that holds itself, and for one that is small as a text and huge when written out */
function checkAliases(value: unknown, line: number): void {
  const around = new Set<unknown>();
  let seen = 0;
  const walk = (part: unknown): void => {
    seen += 1;
    if (seen > MOST_VALUES) throw new DocumentError(line, 'its aliases make it too large: write out what they repeat');
    if (typeof part !== 'object' || part === null) return;
    if (around.has(part)) throw new DocumentError(line, 'an alias refers to what it is part of: no manifest can be so');
    around.add(part);
    for (const inner of Object.values(part)) walk(inner);
    around.delete(part);
  };
  walk(value);
}

/** Where in the text a field stands: at its key, or where its item begins. */
function offsetOf(text: string, events: readonly Event[], path: FieldPath): number {
  // The first event is the document's.
  let at = 1;
  let offset = startOf(events[at]);
  for (const step of path) {
    const found = typeof step === 'number' ? item(events, at, step) : field(text, events, at, step);
    if (found === undefined) break;
    ({ at, offset } = found);
  }
  return offset;
}

interface Position {
  readonly at: number;
  readonly offset: number;
}

function item(events: readonly Event[], sequence: number, index: number): Position | undefined {
  if (events[sequence]?.type !== EVENT_ID.SEQUENCE) return undefined;
  let at = sequence + 1;
  for (let i = 0; isOpen(events, at); i += 1) {
    if (i === index) return { at, offset: startOf(events[at]) };
    at = after(events, at);
  }
  return undefined;
}

function field(text: string, events: readonly Event[], mapping: number, name: string): Position | undefined {
  if (events[mapping]?.type !== EVENT_ID.MAPPING) return undefined;
  for (let at = mapping + 1; isOpen(events, at); ) {
    const key = events[at];
    const value = after(events, at);
    if (key?.type === EVENT_ID.SCALAR && getScalarValue(text, key) === name)
      return { at: value, offset: key.valueStart };
    at = after(events, value);
  }
  return undefined;
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

function newlines(text: string, end: number): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at !== -1 && at < end; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}
