/**
 * Checks a value against a schema. The check finds fields that the API server refuses, and fields that the API server
 * does not know.
 */
import { partOf, type Schema } from '../../operator/api/schema.ts';
import { meantBy } from './nearest.ts';
import { type FieldPath, pathText } from './paths.ts';

export interface Problem {
  readonly path: FieldPath;
  /** The message names the field, and says what to write. */
  readonly message: string;
}

export function problemAt(path: FieldPath, text: string): Problem {
  return { path, message: path.length === 0 ? text : `${pathText(path)}: ${text}` };
}

/** A field that the schema of its object does not have. */
export interface UnknownKey {
  /** The path of the object that has the unknown field. */
  readonly around: FieldPath;
  readonly key: string;
  readonly known: NonNullable<Schema['properties']>;
}

/**
 * A part of a value that the API server reads as an empty value. The part is either a null or an absent field. The null
 * is in a list, or in a mapping that accepts any keys. The absent field is a field that stored objects always have.
 * Anywhere else, a null counts as an absent field.
 */
export interface EmptyField {
  readonly path: FieldPath;
  /** The schema of the field. */
  readonly schema: Schema;
}

/** The differences between a value and a schema, in the order of the fields. */
interface Mismatches {
  /** The values that have a wrong type, and the missing fields. */
  readonly wrong: Problem[];
  readonly unknown: UnknownKey[];
  readonly empty: EmptyField[];
}

/**
 * Finds all mismatches in one walk over the value. The walk is most of the work, and most manifests have no mismatch.
 */
export function mismatches(value: unknown, schema: Schema): Mismatches {
  const wrong: Problem[] = [];
  const unknown: UnknownKey[] = [];
  const empty: EmptyField[] = [];
  const visit: Visit = (part, of, path) => {
    const refused = typeRefusal(part, of);
    if (refused !== undefined) wrong.push(problemAt([...path], refused));
    else if (of.required && isObject(part)) {
      const missing = of.required.filter((key) => (part[key] ?? null) === null);
      wrong.push(...missing.map((key) => missingField([...path, key], of.properties?.[key])));
    }
    if (of.neverAbsent && isObject(part)) {
      const absent = of.neverAbsent.filter((key) => (part[key] ?? null) === null);
      empty.push(...absent.map((key) => ({ path: [...path, key], schema: of.properties?.[key] ?? {} })));
    }
    return refused === undefined;
  };
  walk(value, schema, [], visit, {
    onUnknown: (key, known, path) => unknown.push({ around: [...path], key, known }),
    onNull: (of, path) => empty.push({ path: [...path], schema: of }),
  });
  return { wrong, unknown, empty };
}

/** The nulls in lists. A null in a list is reported like a value of a wrong type. */
export function nullItems(value: unknown, schema: Schema): Problem[] {
  const { empty } = mismatches(value, schema);
  return empty.filter(({ path }) => isItem(path)).map(nullProblem);
}

/** Whether the path leads to an item of a list. */
export function isItem(path: FieldPath): boolean {
  return typeof path.at(-1) === 'number';
}

export function nullProblem({ path, schema }: EmptyField): Problem {
  return problemAt(path, refusalText('type', null, schema.type) ?? '');
}

export function typeProblems(value: unknown, schema: Schema): Problem[] {
  return mismatches(value, schema).wrong;
}

/** The fields that the schema does not know, in the order of the fields. */
export function unknownFields(value: unknown, schema: Schema): Problem[] {
  const problems: Problem[] = [];
  walk(value, schema, [], (part, { properties, ...of }, path) => {
    if (!isObject(part) || !properties || of['x-kubernetes-preserve-unknown-fields']) return true;
    const unknown = Object.keys(part).filter((key) => part[key] !== undefined && !partOf({ properties, ...of }, key));
    problems.push(...unknown.map((key) => unknownField([...path, key], Object.keys(properties))));
    return true;
  });
  return problems;
}

/**
 * Visits a value. The array `path` is reused after the call, so a visitor that keeps the path must copy it.
 *
 * @returns whether to visit the contents of the value
 */
type Visit = (value: unknown, schema: Schema, path: FieldPath) => boolean;

/** Receives findings during a walk. The path arrays are reused after each call. */
interface Found {
  /** Called with each key that the schema of an object lacks. If a schema lists no keys, the function is not called. */
  onUnknown(key: string, known: UnknownKey['known'], path: FieldPath): void;
  /** Called with the schema and the path of each null in a list, or in a mapping that accepts any keys. */
  onNull(schema: Schema, path: FieldPath): void;
}

export function walk(value: unknown, schema: Schema, path: (string | number)[], visit: Visit, found?: Found): void {
  if (value === null || value === undefined || !visit(value, schema, path)) return;
  if (Array.isArray(value)) {
    const { items } = schema;
    if (!items) return;
    for (let index = 0; index < value.length; index += 1) {
      path.push(index);
      if (value[index] === null) found?.onNull(items, path);
      walk(value[index], items, path, visit, found);
      path.pop();
    }
  } else if (isObject(value)) {
    for (const key of Object.keys(value)) {
      const of = partOf(schema, key);
      if (of) {
        path.push(key);
        if (value[key] === null && of === schema.additionalProperties) found?.onNull(of, path);
        walk(value[key], of, path, visit, found);
        path.pop();
      } else if (schema.properties) found?.onUnknown(key, schema.properties, path);
    }
  }
}

function typeRefusal(value: unknown, { type, minimum, maximum }: Schema): string | undefined {
  if (type !== undefined && !hasType(value, type)) return refusalText('type', value, type);
  if (typeof value !== 'number') return undefined;
  if (minimum !== undefined && value < minimum) return refusalText('minimum', value, minimum);
  return maximum !== undefined && value > maximum ? refusalText('maximum', value, maximum) : undefined;
}

const REFUSALS: Readonly<Record<string, (value: never, limit: unknown) => string>> = {
  type: (value: unknown, limit) =>
    `Invalid value: ${Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value}: must be of type ${limit}`,
  enum: (value: unknown, limit) =>
    `Unsupported value: ${JSON.stringify(value)}: supported values: ${(limit as readonly unknown[]).map((one) => JSON.stringify(one)).join(', ')}`,
  minimum: (value: number, limit) => `${value} should be greater than or equal to ${limit}`,
  maximum: (value: number, limit) => `${value} should be less than or equal to ${limit}`,
  minLength: (_, limit) => `should be at least ${limit} chars long`,
  maxLength: (_, limit) => `Too long: may not be more than ${limit} characters`,
  minItems: (_, limit) => `should have at least ${limit} items`,
  maxItems: (value: readonly unknown[], limit) => `Too many: ${value.length}: must have at most ${limit} items`,
  maxProperties: (value: object, limit) => `Too many: ${Object.keys(value).length}: must have at most ${limit} items`,
};

/** The API server's message about a value that a keyword of the schema refuses. */
export function refusalText(keyword: string, value: unknown, limit: unknown): string | undefined {
  return REFUSALS[keyword]?.(value as never, limit);
}

export function missingField(path: FieldPath, schema: Schema | undefined): Problem {
  const choices = schema?.enum ? `: one of ${schema.enum.join(', ')}` : '';
  return problemAt(path, `Required value${choices}`);
}

function unknownField(path: FieldPath, known: readonly string[]): Problem {
  const near = meantBy(String(path.at(-1)), known);
  const hint = near === undefined ? '' : `did you mean ${near}? `;
  return problemAt(path, `no such field: ${hint}the known fields are ${known.join(', ')}`);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function hasType(value: unknown, type: NonNullable<Schema['type']>): boolean {
  switch (type) {
    case 'object':
      return isObject(value);
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}
