/**
 * Policies that may decide in the same namespace stand in one object, and etcd stores 1.5 MiB of it. A table is split by the
 * names of namespaces, so each of its objects has all policies that do not select by name.
 */
import type { Mode } from '../api/capability-policy.ts';
import type { Parts } from '../policy/parts.ts';
import type { Refusal, ResolvedPolicy } from '../policy/resolve.ts';
import { type Limit, namesIn } from './fit.ts';
import { namesOf } from './partition.ts';
import { rowText } from './table.ts';

/** In characters; the rest is for the rules, the levels and the managed fields. */
const MOST = 1_000_000;

/** The rows of a mode that stand in one object. */
class Rows {
  readonly policies: ResolvedPolicy[] = [];
  length = 0;

  add(policy: ResolvedPolicy): void {
    this.policies.push(policy);
    this.length += rowText(policy).length;
  }
}

export class FitIntoObject implements Limit {
  readonly #rows = new Map<string, Rows>();

  refusalOf(parts: Parts): Refusal | undefined {
    for (const { mode } of parts) {
      const more = parts.filter((policy) => policy.mode === mode);
      const length = more.reduce((total, policy) => total + rowText(policy).length, 0);
      const together = this.#beside(mode, more);
      if (together.reduce((total, rows) => total + rows.length, length) > MOST) {
        return tooMany([...together.flatMap(({ policies }) => policies), ...more]);
      }
    }
    return undefined;
  }

  keep(parts: Parts): void {
    for (const policy of parts) {
      for (const name of namesOf(policy) ?? [undefined]) this.#of(policy.mode, name).add(policy);
    }
  }

  /** The rows of the fullest object that these would be in. */
  #beside(mode: Mode, parts: Parts): readonly Rows[] {
    const names = parts.flatMap((policy) => namesOf(policy) ?? []);
    const isGeneral = parts.some((policy) => namesOf(policy) === undefined);
    const named = isGeneral ? this.#named(mode) : names.map((name) => this.#of(mode, name));
    const [fullest] = named.toSorted((a, b) => b.length - a.length);
    return [this.#of(mode), ...(fullest ? [fullest] : [])];
  }

  #named(mode: Mode): Rows[] {
    return [...this.#rows].flatMap(([key, rows]) => (key.startsWith(`${mode}/`) ? [rows] : []));
  }

  /** @param name of the only namespace; left out: of all namespaces */
  #of(mode: Mode, name?: string): Rows {
    const key = name === undefined ? mode : `${mode}/${name}`;
    const rows = this.#rows.get(key) ?? new Rows();
    this.#rows.set(key, rows);
    return rows;
  }
}

function tooMany(policies: readonly ResolvedPolicy[]): Refusal {
  const message = `too many long policies may decide in the same namespace: together they have more than ${MOST} characters, and an API server stores them in one object. Shorten spec.overrides or spec.namespaceSelector, or select namespaces by their names. They are ${namesIn(policies)}`;
  return { reason: 'TooExpensive', message };
}
