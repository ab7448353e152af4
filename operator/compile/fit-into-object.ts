/**
 * Checks the size limit of one rendered object. Policies that may decide in the same namespace share an object, and
 * etcd stores at most 1.5 MiB for one object. A large table is split into shards by the names of namespaces. If a
 * policy does not select namespaces by name, every shard contains the policy.
 */
import type { Mode } from '../api/capability-policy.ts';
import type { Parts } from '../policy/parts.ts';
import type { Refusal, ResolvedPolicy } from '../policy/resolve.ts';
import { type Limit, namesIn } from './fit.ts';
import { namesOf } from './partition.ts';
import { rowText } from './table.ts';

/**
 * The maximum number of characters that all rows in one object may have together. The remaining size of the object is
 * reserved for the rules, the levels and the managed fields.
 */
const MOST = 1_000_000;

/** A group of rows that share one object. */
class Rows {
  readonly policies: ResolvedPolicy[] = [];
  length = 0;

  add(policy: ResolvedPolicy): void {
    this.policies.push(policy);
    this.length += rowText(policy).length;
  }
}

/** The rows of one mode. */
class RowsOfMode {
  /** The rows of policies that may select any namespace. */
  readonly general = new Rows();
  readonly #byName = new Map<string, Rows>();
  /**
   * The longest entry of `#byName`. An entry never gets shorter. `#longest` therefore changes only when another entry
   * grows longer than the longest entry.
   */
  #longest = new Rows();

  add(policy: ResolvedPolicy): void {
    const names = namesOf(policy);
    if (names === undefined) this.general.add(policy);
    for (const name of names ?? []) {
      const rows = this.#byName.get(name) ?? new Rows();
      this.#byName.set(name, rows);
      rows.add(policy);
      if (rows.length > this.#longest.length) this.#longest = rows;
    }
  }

  /**
   * Finds the entries of `#byName` with rows that would be in the same object as the given parts. Returns the longest
   * of these entries.
   */
  longestBeside(parts: Parts): Rows {
    const names = parts.map(namesOf);
    if (names.includes(undefined)) return this.#longest;
    const rows = names.flatMap((some) => some ?? []).flatMap((name) => this.#byName.get(name) ?? []);
    return rows.reduce((longest, one) => (one.length > longest.length ? one : longest), new Rows());
  }
}

export class FitIntoObject implements Limit {
  readonly #byMode = new Map<Mode, RowsOfMode>();

  refusalOf(parts: Parts): Refusal | undefined {
    for (const [mode, more] of Map.groupBy(parts, (policy) => policy.mode)) {
      const rows = this.#of(mode);
      const together = [rows.general, rows.longestBeside(more)];
      const own = more.reduce((total, policy) => total + rowText(policy).length, 0);
      if (together.reduce((total, { length }) => total + length, own) > MOST) {
        return tooMany([...together.flatMap(({ policies }) => policies), ...more]);
      }
    }
    return undefined;
  }

  keep(parts: Parts): void {
    for (const policy of parts) this.#of(policy.mode).add(policy);
  }

  #of(mode: Mode): RowsOfMode {
    const rows = this.#byMode.get(mode) ?? new RowsOfMode();
    this.#byMode.set(mode, rows);
    return rows;
  }
}

function tooMany(policies: readonly ResolvedPolicy[]): Refusal {
  const message = `too many long policies may decide in the same namespace: together they have more than ${MOST} characters, and an API server stores them in one object. Shorten spec.overrides or spec.namespaceSelector, or select namespaces by their names. The policies are ${namesIn(policies)}`;
  return { reason: 'TooExpensive', message };
}
