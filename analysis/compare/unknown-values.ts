/**
 * Lists values of a field that this release does not know. Checks compare such a value only with the values that API
 * servers fill in. So each value that API servers fill in is tried, and one other value.
 */
import { insideOf } from './paths.ts';
import type { Constant } from './reads.ts';
import { otherText } from './texts.ts';
import { TooMany } from './too-many.ts';

type Sets = readonly (readonly Constant[])[];
type Scalar = boolean | number | string;

/**
 * @param path the path of the field's value, from valueOfUnknown()
 * @param setsAt the sets of constants with which checks compare the value at a path
 * @throws TooMany
 */
export function unknownValues(path: string, setsAt: (path: string) => Sets): readonly unknown[] {
  const inside = insideOf(path);
  const values = [
    ...scalars(setsAt(path).flat().map(String)),
    ...objects(setsAt(inside)),
    ...objects(setsAt(insideOf(inside))).map((item) => [item]),
  ];
  return values.length > 0 ? values : [true];
}

function scalars(texts: readonly string[]): Scalar[] {
  return texts.length > 0 ? [...new Set(texts).values().map(scalarOf), unlisted(texts)] : [];
}

/** An object that API servers fill in, and another object. The constants are texts such as `field=value`. */
function objects(sets: Sets): Readonly<Record<string, Scalar>>[] {
  // Checks write an equals sign between the name and the value of a field.
  const [texts, ...others] = sets.map((set) => set.map(String)).filter((set) => set.join() !== '=');
  const [field, value] = divided(texts?.[0] ?? '');
  if (!texts || value === undefined) return [];
  // If there are several sets, an object may need one field of each set.
  if (others.length > 0) throw new TooMany(`API servers fill in several objects with the field ${field}`);
  const listed = texts.map(divided).flatMap(([name, one = '']) => (name === field ? [one] : []));
  return [{ [field]: scalarOf(value) }, { [field]: unlisted(listed) }];
}

function divided(text: string): [field: string, value: string | undefined] {
  const { field = '', value } = /^(?<field>[^=]*)=(?<value>.*)$/s.exec(text)?.groups ?? {};
  return [field, value];
}

function scalarOf(text: string): Scalar {
  if (text === 'true' || text === 'false') return text === 'true';
  return isNumber(text) ? Number(text) : text;
}

/** A value that is not listed. If possible, the value has the type of the listed values. */
function unlisted(texts: readonly string[]): Scalar {
  const others = [true, false].filter((one) => !texts.includes(`${one}`));
  if (others.length === 1) return others[0] as boolean;
  if (texts.every(isNumber)) return Math.max(...texts.map(Number)) + 1;
  return otherText(texts);
}

function isNumber(text: string): boolean {
  return Number.isSafeInteger(Number(text)) && String(Number(text)) === text;
}
