/** Writes values as YAML or JSON, in the style of the text around them. */
import { isObject } from '../schema/problems.ts';

export interface Style {
  /** The number of columns by which a nested mapping is indented. */
  readonly step: number;
  /** The number of columns by which a list is indented below its key. */
  readonly listStep: number;
}

export interface FlowStyle {
  /** Whether keys and strings are in double quotes, as in JSON. */
  readonly json: boolean;
  /** The spaces that follow commas and colons. */
  readonly space: string;
  /** The spaces inside braces, as in `{ a: 1 }`. */
  readonly padding: string;
}

/** The quotes of the replaced scalar, as the type of a CST token. */
type Quotes = string | undefined;

const PLAIN = /^[A-Za-z_/][\w./-]*(?::[\w./-]+)*$/;
/** Words that YAML 1.1 does not read as strings (https://yaml.org/type/). */
const WORDS = /^(?:y|yes|n|no|on|off|true|false|null|~)$/i;

export function scalarText(value: unknown, quotes?: Quotes): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  if (quotes === 'double-quoted-scalar') return JSON.stringify(value);
  if (quotes === 'single-quoted-scalar' && /^[\x20-\x7e]*$/.test(value)) return `'${value.replaceAll("'", "''")}'`;
  return PLAIN.test(value) && !WORDS.test(value) ? value : JSON.stringify(value);
}

/** The lines that write the fields of a mapping in block style. */
export function blockLines(fields: Readonly<Record<string, unknown>>, indent: number, style: Style): string[] {
  return Object.entries(fields).flatMap(([key, value]) => fieldLines(key, value, indent, style));
}

function fieldLines(key: string, value: unknown, indent: number, style: Style): string[] {
  const begin = `${' '.repeat(indent)}${scalarText(key)}:`;
  if (Array.isArray(value) && value.length > 0) {
    return [begin, ...value.map((item) => itemLine(item, indent + style.listStep))];
  }
  if (isFilledMapping(value)) return [begin, ...blockLines(value, indent + style.step, style)];
  return [`${begin} ${flowText(value, YAML_FLOW)}`];
}

export function itemLine(item: unknown, indent: number): string {
  return `${' '.repeat(indent)}- ${flowText(item, YAML_FLOW)}`;
}

export const YAML_FLOW: FlowStyle = { json: false, space: ' ', padding: '' };

/** The value as text in one line. */
export function flowText(value: unknown, style: FlowStyle): string {
  if (Array.isArray(value)) return `[${value.map((item) => flowText(item, style)).join(`,${style.space}`)}]`;
  if (typeof value !== 'object' || value === null) return flowScalar(value, style);
  const fields = Object.entries(value).map(([key, part]) => flowField(key, flowText(part, style), style));
  const { padding } = style;
  return fields.length === 0 ? '{}' : `{${padding}${fields.join(`,${style.space}`)}${padding}}`;
}

/** @param text the field's value as YAML or JSON */
export function flowField(key: string, text: string, style: FlowStyle): string {
  // If the key is not in quotes, YAML reads `{a:1}` as one key `a:1` without a value.
  const space = style.json ? style.space : ' ';
  return `${flowScalar(key, style)}:${space}${text}`;
}

/**
 * The value as text in several lines, indented like JSON.
 *
 * @param indent the indentation of the line in which the value begins
 */
export function indentedText(
  value: unknown,
  indent: string,
  step: string,
  lineBreak: string,
  style: FlowStyle,
): string {
  const inside = indent + step;
  if (Array.isArray(value) && value.length > 0) {
    const items = value.map((item) => `${inside}${indentedText(item, inside, step, lineBreak, style)}`);
    return ['[', items.join(`,${lineBreak}`), `${indent}]`].join(lineBreak);
  }
  if (!isFilledMapping(value)) return flowText(value, style);
  const fields = Object.entries(value).map(
    ([key, part]) => inside + flowField(key, indentedText(part, inside, step, lineBreak, style), style),
  );
  return ['{', fields.join(`,${lineBreak}`), `${indent}}`].join(lineBreak);
}

function flowScalar(value: unknown, { json }: FlowStyle): string {
  return scalarText(value, json ? 'double-quoted-scalar' : undefined);
}

export function isFilledMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return isObject(value) && Object.keys(value).length > 0;
}
