/** Structural schemas of CRDs (OpenAPI v3): what does not fit. */
import { meantBy } from '../nearest.ts';
import type { FieldPath } from './document.ts';
import { pathText } from './paths.ts';

export interface Schema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly pattern?: string;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-validations'?: readonly CelRule[];
}

export interface CelRule {
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
  /** From where the rule stands: `.overrides`. */
  readonly fieldPath?: string;
  readonly reason?: string;
}

export interface Problem {
  readonly path: FieldPath;
  /** Names the field, and what to write. */
  readonly message: string;
}

/** In the order of the fields. A null is as if it were not there. */
export function schemaProblems(value: unknown, schema: Schema): Problem[] {
  const problems: Problem[] = [];
  walk(value, schema, [], problems);
  return problems;
}

/** @param path where the value is; changed on the way and back, since few values have problems, and all have paths */
function walk(value: unknown, schema: Schema, path: (string | number)[], problems: Problem[]): void {
  if (value === null) return;
  const problem = ownProblem(value, schema, path);
  if (problem !== undefined) {
    problems.push({ path: [...path], message: `${pathText(path) || 'the policy'}: ${problem}` });
    return;
  }
  const below = (key: string | number, part: unknown, of: Schema) => {
    path.push(key);
    walk(part, of, path, problems);
    path.pop();
  };
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items) for (let index = 0; index < value.length; index += 1) below(index, value[index], items);
    return;
  }
  if (!isObject(value)) return;
  problems.push(...missingFields(value, schema, path));
  const { properties = {}, 'x-kubernetes-preserve-unknown-fields': unknownToo } = schema;
  for (const key of Object.keys(unknownToo ? properties : value)) {
    if (value[key] === undefined) continue;
    const known = partOf(schema, key);
    if (known) below(key, value[key], known);
    else problems.push(...unknownField([...path, key], properties));
  }
}

function missingFields(value: Record<string, unknown>, schema: Schema, path: FieldPath): Problem[] {
  const missing = (schema.required ?? []).filter((key) => (value[key] ?? null) === null);
  return missing.map((key) => ({
    path: [...path, key],
    message: `${pathText([...path, key])}: Required value${choices(schema.properties?.[key])}`,
  }));
}

function unknownField(path: FieldPath, properties: NonNullable<Schema['properties']>): Problem[] {
  const fields = Object.keys(properties);
  if (fields.length === 0) return [];
  const near = meantBy(String(path.at(-1)), fields);
  const hint = near === undefined ? '' : `did you mean ${near}? `;
  return [{ path, message: `${pathText(path)}: no such field: ${hint}the known fields are ${fields.join(', ')}` }];
}

/** What the schema says of a property, by name or of all that have none. */
export function partOf(schema: Schema, key: string): Schema | undefined {
  if (schema.properties && Object.hasOwn(schema.properties, key)) return schema.properties[key];
  const { additionalProperties } = schema;
  return typeof additionalProperties === 'object' ? additionalProperties : undefined;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function ownProblem(value: unknown, schema: Schema, path: FieldPath): string | undefined {
  const { type, enum: allowed, pattern } = schema;
  if (type !== undefined && !hasType(value, type)) return `Invalid value: ${typeName(value)}: must be of type ${type}`;
  if (allowed && !allowed.includes(value)) {
    return `Unsupported value: ${JSON.stringify(value)}: supported values: ${allowed.map((one) => JSON.stringify(one)).join(', ')}`;
  }
  if (typeof value === 'string' && pattern !== undefined && !new RegExp(pattern).test(value)) {
    return `${JSON.stringify(value)} should match '${pattern}'`;
  }
  return boundProblem(value, schema, path);
}

function boundProblem(value: unknown, schema: Schema, path: FieldPath): string | undefined {
  if (typeof value === 'number') {
    if (value < (schema.minimum ?? value)) return `${value} should be greater than or equal to ${schema.minimum}`;
    if (value > (schema.maximum ?? value)) return `${value} should be less than or equal to ${schema.maximum}`;
  }
  if (typeof value === 'string' && (schema.minLength ?? schema.maxLength) !== undefined) {
    const length = [...value].length;
    if (length < (schema.minLength ?? length)) return `should be at least ${schema.minLength} chars long`;
    if (length > (schema.maxLength ?? length)) return `Too long: may not be more than ${schema.maxLength} characters`;
  }
  if (Array.isArray(value)) {
    const { length } = value;
    if (length < (schema.minItems ?? length)) return `should have at least ${schema.minItems} items`;
    if (length > (schema.maxItems ?? length)) return `Too many: ${length}: must have at most ${schema.maxItems} items`;
  }
  if (isObject(value) && path.length > 0) {
    const { length } = Object.keys(value);
    if (length > (schema.maxProperties ?? length))
      return `Too many: ${length}: must have at most ${schema.maxProperties} items`;
  }
  return undefined;
}

function choices(schema: Schema | undefined): string {
  return schema?.enum ? `: one of ${schema.enum.join(', ')}` : '';
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

function typeName(value: unknown): string {
  return Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value;
}
