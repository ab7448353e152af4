/** Reads a YAML or JSON document in one pass, and finds the lines of its fields. */
import { constructFromEvents, EVENT_ID, type Event, parseEvents, YAMLException } from 'js-yaml';
import type { FieldPath } from '../schema/paths.ts';
import { BlockLines } from './block-lines.ts';
import { type BlockDocument, readBlockStyle } from './block-style.ts';
import { FieldPositions, type TextRange } from './field-positions.ts';
import { mayMerge, withMergeKeys } from './merge-keys.ts';
import { newlinesIn } from './piece.ts';
import { MANIFEST_SCHEMA } from './scalars.ts';

interface Document {
  readonly value: unknown;
  /**
   * The line of a field, where 1 is the first line. If the field is absent, the result is the line of the nearest
   * existing field that contains the absent field.
   */
  lineOf(path: FieldPath): number;
  /** The position of the field itself in the line that `lineOf` returns. */
  rangeOf(path: FieldPath): TextRange;
  /**
   * The text of a scalar as it is written, without quotes. The text is undefined if the field is absent or not a
   * scalar.
   */
  textOf(path: FieldPath): string | undefined;
}

/** Thrown for a text that is not a document. The message names the position, and says how to repair the document. */
export class DocumentError extends Error {
  readonly line: number;
  /** Whether the document is probably a Helm template. */
  readonly template: boolean;

  constructor(line: number, message: string, template = false) {
    super(message);
    this.line = line;
    this.template = template;
  }
}

/**
 * The maximum number of values to visit. No real manifest has so many values. If aliases repeat a value, the value is
 * visited once for each alias.
 */
const MOST_VALUES = 1_000_000;
const MOST_ALIASES = 10_000;
/**
 * Matches a template action that begins a line, such as a comment of several lines. An indented action does not match,
 * because it may be in a block scalar.
 */
const HELM_LINE = /^\{\{/;
const HELM = /(?:^|[:\-\s[{])\{\{[-\s]?.*?\}\}/;

/**
 * @param firstLine the line where the text begins
 * @returns undefined if the text contains only comments
 * @throws DocumentError
 */
export function parseDocument(text: string, firstLine: number): Document | undefined {
  const quick = readBlockStyle(text);
  if (quick) return quickDocument(text, firstLine, quick);
  const { events, value } = read(text, firstLine);
  if (events.length === 0) return undefined;
  const alias = events.find((event) => event.type === EVENT_ID.ALIAS);
  if (alias) checkAliases(value, firstLine + newlinesIn(text, alias.anchorStart));
  const positions = new FieldPositions(text, events);
  // The API server reads text into Go strings. In a Go string, a lone surrogate becomes U+FFFD.
  const sound = /\\u[dD][89a-fA-F]/.test(text) ? wellFormed(value) : value;
  return documentOf(sound, firstLine, () => positions);
}

/**
 * Makes a document from text in block style. Most callers need only the line where the document begins, so all other
 * positions are found on demand.
 */
function quickDocument(text: string, firstLine: number, { value, start }: BlockDocument): Document {
  let positions: FieldPositions | undefined;
  let lines: BlockLines | undefined;
  const document = documentOf(value, firstLine, () => {
    positions ??= new FieldPositions(text, parseEvents(text, {}));
    return positions;
  });
  // In block style, the first item of a list begins at the same position as the list.
  const isFirst = (path: FieldPath) =>
    path.length === 0 || (path.length === 1 && path[0] === 0 && Array.isArray(value));
  const begin = firstLine + newlinesIn(text, start);
  return {
    ...document,
    lineOf(path) {
      if (isFirst(path)) return begin;
      lines ??= new BlockLines(text);
      return firstLine + lines.of(path);
    },
  };
}

function documentOf(value: unknown, firstLine: number, positions: () => FieldPositions): Document {
  return {
    value,
    lineOf: (path) => firstLine + positions().lineOf(path),
    rangeOf: (path) => {
      const range = positions().rangeOf(path);
      return { ...range, line: firstLine + range.line - 1 };
    },
    textOf: (path) => positions().textOf(path),
  };
}

function read(text: string, firstLine: number): { events: Event[]; value: unknown } {
  try {
    const events = parseEvents(text, {});
    const schema = mayMerge(text) ? withMergeKeys(MANIFEST_SCHEMA) : MANIFEST_SCHEMA;
    const options = { source: text, schema, maxAliases: MOST_ALIASES };
    return { events, value: events.length === 0 ? undefined : constructFromEvents(events, options)[0] };
  } catch (error) {
    throw documentError(error, text, firstLine);
  }
}

function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed();
  if (Array.isArray(value)) return value.map(wellFormed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key.toWellFormed(), wellFormed(part)]));
}

function documentError(error: unknown, text: string, firstLine: number): DocumentError {
  if (!(error instanceof YAMLException)) return new DocumentError(firstLine, `not YAML: ${(error as Error).message}`);
  const template = templateLine(error, text);
  if (template !== undefined) {
    const message = 'a Helm template and not YAML: render the template first, with `helm template`';
    return new DocumentError(firstLine + template, message, true);
  }
  return new DocumentError(firstLine + (error.mark?.line ?? 0), `not YAML: ${reasonOf(error, text)}`);
}

/** The line where a template's braces prevent parsing. In quotes or in a block scalar, braces are ordinary text. */
function templateLine({ reason, mark }: YAMLException, text: string): number | undefined {
  const lines = text.split('\n');
  const near = mark ? [mark.line, mark.line - 1].find((line) => HELM.test(lines[line] ?? '')) : undefined;
  if (near !== undefined) return near;
  // YAML reads `{{ .Values.name }}` as a mapping whose key is a mapping. If the key of a mapping is a mapping, the
  // parser reports the position where the outer mapping begins.
  const found = lines.findIndex((line) => HELM_LINE.test(line) || (reason.includes('complex keys') && HELM.test(line)));
  return found === -1 ? undefined : found;
}

function reasonOf({ reason, mark }: YAMLException, text: string): string {
  if (!reason.startsWith('duplicated mapping key')) return reason.split('\n')[0] ?? '';
  const [key = ''] = /^[^:"',{}\n]+/.exec(text.slice(mark?.position)) ?? [];
  return `the key ${key.trim()} occurs twice in the same mapping: remove one`;
}

/**
 * @param line the line of the first alias
 * @throws DocumentError for a value that contains itself, and for a short text that becomes huge when its aliases are
 * expanded
 */
function checkAliases(value: unknown, line: number): void {
  const around = new Set<unknown>();
  let seen = 0;
  const walk = (part: unknown): void => {
    seen += 1;
    if (seen > MOST_VALUES) throw new DocumentError(line, 'aliases make the document too large: write fewer aliases');
    if (typeof part !== 'object' || part === null) return;
    if (around.has(part))
      throw new DocumentError(
        line,
        'an alias refers to a node that contains the alias: a manifest cannot contain itself',
      );
    around.add(part);
    for (const inner of Object.values(part)) walk(inner);
    around.delete(part);
  };
  walk(value);
}
