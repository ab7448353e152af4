/** Suggests what to write instead of a value that has the wrong type. */
import { type Schema, schemaAt } from '../../operator/api/schema.ts';
import { valueAt } from '../../operator/model/raw.ts';
import { bounded } from '../../operator/text/printable.ts';
import type { FieldPath } from './paths.ts';
import { hasType, isObject, type Problem } from './problems.ts';

export interface Hinting {
  /** The text of a scalar as it is written in the file, such as `1.30`, which is parsed as the number 1.3. */
  readonly textOf?: ((path: FieldPath) => string | undefined) | undefined;
  /**
   * Treats the text as a string in quotes, and returns the string's problem. The result is undefined if the string has
   * no problem.
   */
  readonly refusalOf?: (text: string, schema: Schema) => string | undefined;
}

const LONGEST = 80;
/** The booleans of YAML 1.1. kubectl reads booleans in this way. */
const BOOLEANS: readonly (readonly [RegExp, boolean])[] = [
  [/^(?:y|yes|on|true)$/i, true],
  [/^(?:n|no|off|false)$/i, false],
];

/** Returns the given problems with hints. The message of each type error ends with a suggestion of what to write. */
export function withTypeHints(
  problems: readonly Problem[],
  value: unknown,
  schema: Schema,
  { textOf, refusalOf }: Hinting = {},
): Problem[] {
  return problems.map((problem) => {
    const { path, message } = problem;
    const [found, of] = [valueAt(value, path), schemaAt(schema, path)];
    if (found === undefined || of?.type === undefined || hasType(found, of.type)) return problem;
    const hint = hintFor(found, of, textOf?.(path) ?? String(found), refusalOf);
    return hint === undefined ? problem : { path, message: `${message}: ${hint}` };
  });
}

function hintFor(value: unknown, schema: Schema, written: string, refusalOf: Hinting['refusalOf']): string | undefined {
  switch (schema.type) {
    case 'string':
      return isScalar(value) ? textHint(value, schema, written, refusalOf) : unwrapped(value);
    case 'integer':
    case 'number':
      return typeof value === 'string' && /^[-+]?\d+$/.test(value)
        ? `write ${Number(value)}, without quotes`
        : undefined;
    case 'boolean': {
      const meant = typeof value === 'string' ? booleanOf(value) : undefined;
      return meant === undefined ? undefined : `write ${meant}, without quotes`;
    }
    case 'array':
      return `write a list: [${flow(value)}]`;
    case 'object':
      return fieldsHint(value, schema);
    default:
      return undefined;
  }
}

function textHint(
  value: unknown,
  schema: Schema,
  written: string,
  refusalOf: Hinting['refusalOf'],
): string | undefined {
  const choices = (schema.enum ?? []).map(String);
  const meant = choices.find((choice) => booleanOf(choice) === value);
  if (meant !== undefined) return `write '${meant}', in quotes: YAML reads ${written} without quotes as ${value}`;
  if (choices.length > 0)
    return `write ${choices.map((choice) => (booleanOf(choice) === undefined ? choice : `'${choice}'`)).join(' or ')}`;
  return (
    refusalOf?.(written, schema) ??
    `write '${written}', in quotes: YAML reads ${written} without quotes as a ${typeof value}`
  );
}

/** The hint for a list with one entry, if the entry itself is expected instead of the list. */
function unwrapped(value: unknown): string | undefined {
  const [only] = Array.isArray(value) && value.length === 1 ? value : [];
  return typeof only === 'string' ? `write ${only}, without brackets` : undefined;
}

/**
 * The hint for a value, if an object is expected. For `runAsUser: MustRunAs`, the hint is `{rule: MustRunAs}`. The hint
 * names the only field that accepts the value. If several fields or no field accepts the value, the hint names all
 * fields.
 */
function fieldsHint(value: unknown, { properties = {} }: Schema): string | undefined {
  const fields = Object.entries(properties);
  const [field, ...others] = fields.filter(([, { enum: own, items }]) => (own ?? items?.enum)?.includes(value));
  if (field && others.length === 0) {
    const [name, { type }] = field;
    return `write {${name}: ${type === 'array' ? `[${value}]` : value}}`;
  }
  return fields.length > 0 ? `write its fields: ${fields.map(([name]) => name).join(', ')}` : undefined;
}

function booleanOf(text: string): boolean | undefined {
  return BOOLEANS.find(([words]) => words.test(text))?.[1];
}

function isScalar(value: unknown): boolean {
  return typeof value === 'boolean' || typeof value === 'number';
}

/** The value as one line of YAML. */
function flow(value: unknown): string {
  const text = isObject(value)
    ? `{${Object.entries(value)
        .map(([key, part]) => `${key}: ${typeof part === 'object' ? JSON.stringify(part) : part}`)
        .join(', ')}}`
    : String(value);
  return bounded(text, LONGEST);
}
