/**
 * Handles nulls in lists and in labels. The API server reads a null in a list or a label as the empty value of its
 * type. The reason is that a string, a number or a struct stays unchanged when encoding/json decodes a null.
 */
import type { Schema } from '../../operator/api/schema.ts';
import { valueAt } from '../../operator/model/raw.ts';
import type { FieldPath } from '../schema/paths.ts';
import { type EmptyField, isItem, nullProblem, type Problem, problemAt } from '../schema/problems.ts';

/** A copy of the value as the API server reads it. In the copy, empty values replace the nulls in lists and labels. */
export function withEmptyValues<Value>(value: Value, empty: readonly EmptyField[]): Value {
  if (empty.length === 0) return value;
  const copy = structuredClone(value);
  for (const { path, schema } of empty) {
    const around = valueAt(copy, path.slice(0, -1)) as Record<string | number, unknown>;
    around[path.at(-1) ?? ''] = emptyValue(schema);
  }
  return copy;
}

/** The maximum number of nulls that are reported one by one. A single message counts all further nulls. */
const MOST = 100;

/**
 * Reports nulls in lists, because a null in a list is a mistake. In most lists, the API server refuses an empty object.
 *
 * @param fieldOf maps a path in the checked part to the path in the whole object
 */
export function nullProblems(
  empty: readonly EmptyField[],
  fieldOf = (path: FieldPath) => path,
): { problems: Problem[]; warnings: Problem[] } {
  const all = empty.filter(({ path }) => isItem(path));
  const items = all.slice(0, MOST).map(({ path, schema }) => ({ path: fieldOf(path), schema }));
  const more = all.slice(MOST, MOST + 1).map(({ path }) => {
    return problemAt(fieldOf(path), `${all.length - MOST} more nulls in lists`);
  });
  const isObject = ({ schema }: EmptyField) => schema.type === 'object';
  return {
    problems: [...items.filter(isObject).map(nullProblem), ...more],
    warnings: items
      .filter((one) => !isObject(one))
      .map(({ path, schema }) =>
        problemAt(path, `null, which the API server reads as ${JSON.stringify(emptyValue(schema))}`),
      ),
  };
}

function emptyValue({ type, neverAbsent = [], properties = {} }: Schema): unknown {
  switch (type) {
    case 'string':
      return '';
    case 'integer':
    case 'number':
      return 0;
    case 'boolean':
      return false;
    case 'object':
      return Object.fromEntries(neverAbsent.map((key) => [key, emptyValue(properties[key] ?? {})]));
    default:
      return null;
  }
}
