/**
 * Writes values as YAML or JSON in a random style. The style varies comments, quotes, flow and block, indentation,
 * anchors and line breaks.
 */
import type { Random } from './random.ts';

interface Style {
  readonly random: Random;
  readonly step: number;
  readonly listStep: number;
  /** The percentage of lines with a comment before the line. */
  readonly comments: number;
  readonly flow: number;
  readonly anchors: boolean;
  /** The anchors that were written so far. Each key of the map is a value in the form of JSON. */
  readonly known: Map<string, string>;
  /** The names of all anchors of the text. */
  readonly names: string[];
  count: number;
}

const MARK = '\ufeff';

function randomYaml(value: unknown, random: Random): string {
  const style: Style = {
    random,
    step: 2 + 2 * random.int(2),
    listStep: 2 * random.int(2),
    comments: [0, 10, 40][random.int(3)] ?? 0,
    flow: [0, 20, 60][random.int(3)] ?? 0,
    anchors: random.int(2) === 0,
    known: new Map(),
    names: [],
    count: 0,
  };
  const text = random.int(8) === 0 ? json(value, random) : document(value, style);
  const ended = random.int(6) === 0 ? text.replace(/\n$/, '') : text;
  const broken = random.int(4) === 0 ? ended.replaceAll('\n', '\r\n') : ended;
  return random.int(10) === 0 ? MARK + broken : broken;
}

/** Writes several values as one stream of documents. */
export function randomStream(values: readonly unknown[], random: Random): string {
  const texts = values.map((value) =>
    randomYaml(value, random)
      .replaceAll(MARK, '')
      .replace(/\r?\n?$/, '\n'),
  );
  return texts.join('---\n');
}

function json(value: unknown, random: Random): string {
  return `${JSON.stringify(value, null, [undefined, 2, 4][random.int(3)])}\n`;
}

function document(value: unknown, style: Style): string {
  const lines = [...comment(0, style), ...(chance(20, style) ? ['--- # begins'] : []), ...block(value, 0, style)];
  return `${lines.join('\n')}\n`;
}

function chance(percent: number, { random }: Style): boolean {
  return random.int(100) < percent;
}

/** Returns a line with a comment, an empty line, or no line. */
function comment(indent: number, style: Style): string[] {
  if (!chance(style.comments, style)) return chance(style.comments / 4, style) ? [''] : [];
  style.count += 1;
  return [`${' '.repeat(indent)}# c${style.count}: x`];
}

function trailing(style: Style): string {
  if (!chance(style.comments, style)) return '';
  style.count += 1;
  return ` # c${style.count}`;
}

function block(value: unknown, indent: number, style: Style): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => itemLines(item, indent, style));
  return Object.entries(value as object).flatMap(([key, part]) => [
    ...comment(indent, style),
    ...fieldLines(key, part, indent, style),
  ]);
}

function fieldLines(key: string, value: unknown, indent: number, style: Style): string[] {
  const begin = `${' '.repeat(indent)}${scalar(key, style, true)}:`;
  const { before, alias } = anchored(value, style);
  if (alias) return [`${begin} ${alias}${trailing(style)}`];
  if (isInline(value, style)) return [`${begin}${before} ${flow(value, style)}${trailing(style)}`];
  const inside = Array.isArray(value) ? indent + style.listStep : indent + style.step;
  return [`${begin}${before}${trailing(style)}`, ...block(value, inside, style)];
}

function itemLines(value: unknown, indent: number, style: Style): string[] {
  const dash = `${' '.repeat(indent)}-`;
  const { before, alias } = anchored(value, style);
  if (alias) return [`${dash} ${alias}${trailing(style)}`];
  if (isInline(value, style) || Array.isArray(value))
    return [`${dash}${before} ${flow(value, style)}${trailing(style)}`];
  // If the anchor were in the line of the first field, the anchor would belong to the key of the field.
  if (before !== '') return [`${dash}${before}`, ...block(value, indent + 2, style)];
  const spaces = 1 + style.random.int(2);
  const [first = '', ...others] = block(value, indent + 1 + spaces, { ...style, comments: 0 });
  return [...comment(indent, style), dash + first.slice(indent + 1), ...others];
}

function isInline(value: unknown, style: Style): boolean {
  return typeof value !== 'object' || value === null || Object.keys(value).length === 0 || chance(style.flow, style);
}

/**
 * The anchor for a value. If the text already has an equal value with an anchor, the result is an alias instead. Only
 * some values get an anchor.
 */
function anchored(value: unknown, style: Style): { readonly before: string; readonly alias?: string } {
  if (!style.anchors || typeof value !== 'object' || value === null || Array.isArray(value)) return { before: '' };
  const text = JSON.stringify(value);
  const known = style.known.get(text);
  if (known !== undefined && chance(70, style)) return { before: '', alias: `*${known}` };
  if (Object.keys(value).length === 0 || !chance(30, style)) return { before: '' };
  // Two equal values may both get an anchor, so the number of known values does not make a unique name.
  const name = `a${style.names.length}`;
  style.names.push(name);
  style.known.set(text, name);
  return { before: ` &${name}` };
}

function flow(value: unknown, style: Style): string {
  if (Array.isArray(value)) return `[${value.map((item) => flow(item, style)).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return scalar(value, style);
  const fields = Object.entries(value).map(([key, part]) => `${scalar(key, style, true)}: ${flow(part, style)}`);
  const [open, close] = chance(30, style) && fields.length > 0 ? ['{ ', ' }'] : ['{', '}'];
  return open + fields.join(', ') + close;
}

function scalar(value: unknown, style: Style, isKey = false): string {
  if (value === null) return 'null';
  if (typeof value !== 'string') return String(value);
  const isPlain = /^[A-Za-z_/][\w./-]*$/.test(value) && !/^(?:y|yes|n|no|on|off|true|false|null)$/i.test(value);
  const kind = style.random.int(isKey ? 8 : 4);
  if (isPlain && kind > 1) return value;
  return kind === 1 && !/['\n]/.test(value) ? `'${value}'` : JSON.stringify(value);
}
