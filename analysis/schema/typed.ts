/** Builds schemas by hand. Each schema has the TypeScript type of the values that it accepts. */
import type { Schema } from '../../operator/api/schema.ts';
import { withoutNulls } from '../../operator/model/raw.ts';
import { nullItems, type Problem, typeProblems, unknownFields } from './problems.ts';
import { withTypeHints } from './type-hint.ts';

declare const VALUE: unique symbol;

interface Typed<Value> extends Schema {
  /** The type of accepted values. No code sets this property, because it exists only for the type checker. */
  readonly [VALUE]?: Value;
}

export type ValueOf<Of> = Of extends Typed<infer Value> ? Value : never;

type Fields = Readonly<Record<string, Typed<unknown>>>;

export const anything: Typed<unknown> = {};
export const string: Typed<string> = { type: 'string' };
export const boolean: Typed<boolean> = { type: 'boolean' };
export const integer = integerOf(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
export const int32 = integerOf(-(2 ** 31), 2 ** 31 - 1);
export const strings: Typed<Readonly<Record<string, string>>> = { type: 'object', additionalProperties: string };

function integerOf(minimum: number, maximum: number): Typed<number> {
  return { type: 'integer', minimum, maximum };
}

export function list<Item>(items: Typed<Item>): Typed<readonly Item[]> {
  return { type: 'array', items };
}

/** An object that has only the given fields. Each field may be absent. */
export function object<Of extends Fields>(properties: Of): Typed<{ readonly [Name in keyof Of]?: ValueOf<Of[Name]> }> {
  return { type: 'object', properties };
}

/** An object with the given fields. Any other fields are accepted, but not read. */
export function open<Of extends Fields>(properties: Of): ReturnType<typeof object<Of>> {
  return { ...object(properties), 'x-kubernetes-preserve-unknown-fields': true };
}

export class Malformed extends Error {
  override readonly name = 'Malformed';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(({ message }) => message).join('\n'));
    this.problems = problems;
  }
}

/** @throws Malformed for a value that the schema does not accept */
export function read<Value>(value: unknown, schema: Typed<Value>): Value {
  const problems = [...typeProblems(value, schema), ...nullItems(value, schema), ...unknownFields(value, schema)];
  if (problems.length > 0) throw new Malformed(withTypeHints(problems, value, schema));
  return withoutNulls(value) as Value;
}
