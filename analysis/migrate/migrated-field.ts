/** The result of migrating one field: values for the migrated policy, and remarks. */
import type { Remark } from './migration.ts';

export interface MigratedField {
  readonly statements?: readonly Statement[];
  readonly remarks?: readonly Remark[];
  /** The remark on the field, if the field alone makes the policy refuse every pod. */
  readonly never?: Remark;
}

export interface Statement {
  /** The path of the value below `spec.overrides`, such as `capabilities.allowedAdd`. */
  readonly path: string;
  readonly value: unknown;
  /** The field of the input from which the value comes. */
  readonly from: string;
}

export function stated(path: string, value: unknown, from: string): Statement {
  return { path, value, from };
}

/**
 * A value for the migrated policy. The value comes from an input field that may be unset.
 *
 * @param input the value in the input; undefined if the field is unset. If the field is unset, `value` is the meaning
 * of the unset field
 */
export function statedOrUnset(path: string, value: unknown, from: string, input: unknown): Statement {
  return { path, value, from: input === undefined ? `${from}, unset` : from };
}

export function inexact(field: string, value: unknown, text: string): Remark {
  return { field, value, text, exact: false };
}

export function known(field: string, value: unknown, text: string): Remark {
  return { field, value, text, exact: true };
}

export function distinct<T>(values: readonly T[]): T[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}

/**
 * The first `most` entries, because the API limits the length of the list. A remark names the entries that do not fit.
 */
export function withRoom<T>(
  field: string,
  values: readonly T[],
  most: number,
): { readonly kept: readonly T[]; readonly remarks: readonly Remark[] } {
  const kept = values.slice(0, most);
  const remarks = values
    .slice(most)
    .map((value) =>
      inexact(
        field,
        value,
        `left out: the list can have ${most} entries. Pods that only this entry admits are refused`,
      ),
    );
  return { kept, remarks };
}
