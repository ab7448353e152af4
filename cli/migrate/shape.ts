/** Parsed manifests → typed values, as the API server decodes them: a null counts as absent. */
import type { Path } from './invalid-input.ts';

/** A value of the wrong type, or a field that the kind does not have. */
export class Malformed extends Error {
  readonly path: Path;

  constructor(path: Path, message: string) {
    super(message);
    this.path = path;
  }
}

/** @throws Malformed */
export type Reader<T> = (value: unknown, path: Path) => T;

type Fields<Shape extends Record<string, Reader<unknown>>> = {
  readonly [Name in keyof Shape]?: ReturnType<Shape[Name]>;
};

export const text: Reader<string> = (value, path) => {
  if (typeof value !== 'string') throw new Malformed(path, `must be a string, not ${shown(value)}`);
  return value;
};

export const flag: Reader<boolean> = (value, path) => {
  if (typeof value !== 'boolean') throw new Malformed(path, `must be true or false, not ${shown(value)}`);
  return value;
};

export const integer: Reader<number> = (value, path) => {
  if (!Number.isSafeInteger(value)) throw new Malformed(path, `must be a whole number, not ${shown(value)}`);
  return value as number;
};

export const int32: Reader<number> = (value, path) => {
  const number = integer(value, path);
  if ((number | 0) !== number) throw new Malformed(path, `must be a whole number of 32 bits, not ${number}`);
  return number;
};

export function list<T>(item: Reader<T>): Reader<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw new Malformed(path, `must be a list, not ${shown(value)}`);
    return value.map((one, index) => item(one, [...path, index]));
  };
}

/** A mapping with these fields, each of which may be absent, and no others. */
export function fields<Shape extends Record<string, Reader<unknown>>>(shape: Shape): Reader<Fields<Shape>> {
  return (value, path) => {
    const known = Object.entries(entriesOf(value, path)).map(([name, inner]) => {
      const reader = Object.hasOwn(shape, name) ? shape[name] : undefined;
      if (!reader) throw new Malformed([...path, name], `no such field: it has ${Object.keys(shape).join(', ')}`);
      return [name, reader(inner, [...path, name])];
    });
    return Object.fromEntries(known);
  };
}

/** A mapping of strings: annotations. */
export const texts: Reader<Readonly<Record<string, string>>> = (value, path) =>
  Object.fromEntries(Object.entries(entriesOf(value, path)).map(([key, one]) => [key, text(one, [...path, key])]));

/** The fields of a mapping that are present. */
export function entriesOf(value: unknown, path: Path): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Malformed(path, `must be a mapping, not ${shown(value)}`);
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== null && inner !== undefined));
}

function shown(value: unknown): string {
  return Array.isArray(value) ? 'a list' : typeof value === 'object' && value ? 'a mapping' : JSON.stringify(value);
}
