/**
 * The CEL expressions of a rule read these values. A policy is a row of columns. Each rule defines its CEL once. The
 * CEL reads the `Values` of a policy. For a single known policy, the values are literals (`LiteralValues`). In an
 * admission program with many policies, the CEL reads the values from the candidate's row (`RowValues`).
 */
import { listed, literal, matchesAny } from './cel.ts';
import type { Condition } from './condition.ts';
import { firstOf, inRanges, UNSET } from './id-ranges.ts';

/** The columns of a row. The key is the column's name. A range of numbers is written as `80` or `8000-8999`. */
export type Columns = Readonly<Record<string, readonly string[]>>;

export interface Values {
  /** A CEL expression of type list(string): the items of the column. */
  list(column: string): string;
  /** Whether the column contains the item. */
  includes(column: string, item: string): Condition;
  /** Whether the column contains at least one item. */
  hasSome(column: string): Condition;
  /** A CEL expression of type string: the first item of the column. If the column has no item, the string is empty. */
  first(column: string): string;
  /**
   * A CEL expression of type string: the items of the column as text for messages, such as `NET_RAW, CHOWN` or `none`.
   */
  listed(column: string): string;
  /**
   * A CEL expression of type bool: whether a text matches one of the column's patterns. A `*` at the end of a pattern
   * matches any ending.
   */
  matches(text: string, column: string): string;
  /**
   * A CEL expression of type bool: whether a number is in a range of the column.
   * @param number a CEL number, which the expression evaluates several times
   */
  isInRanges(number: string, column: string): string;
  /**
   * A CEL expression of type int: the first number of the column's first range. The value is UNSET if the column has no
   * range.
   */
  firstOfRanges(column: string): string;
  /**
   * Returns a CEL expression that reads a value. The value is computed only once for each policy.
   * @param text the CEL expression that computes the value
   */
  computed(name: string, text: string): string;
  /** Returns a CEL expression. If the policy's columns are known, the expression can be shorter. */
  specialized(known: (columns: Columns) => string, general: () => string): string;
}

/**
 * A CEL expression of type bool: whether a text matches one of the patterns.
 * @param patterns CEL of type list(string)
 */
export function matchesIn(text: string, patterns: string): string {
  const beginning = `${text}.startsWith(q.substring(0, q.size() - 1))`;
  return `(${text} in ${patterns} || ${patterns}.exists(q, q.endsWith("*") && ${beginning}))`;
}

/** The values of one policy, as literals. */
export class LiteralValues implements Values {
  readonly #columns: Columns;

  constructor(columns: Columns) {
    this.#columns = columns;
  }

  list(column: string): string {
    return literal(this.#items(column));
  }

  includes(column: string, item: string): boolean {
    return this.#items(column).includes(item);
  }

  hasSome(column: string): boolean {
    return this.#items(column).length > 0;
  }

  first(column: string): string {
    return literal(this.#items(column)[0] ?? '');
  }

  listed(column: string): string {
    return literal(listed(this.#items(column)));
  }

  matches(text: string, column: string): string {
    return matchesAny(text, this.#items(column));
  }

  isInRanges(number: string, column: string): string {
    return inRanges(number, this.#items(column).map(rangeOf));
  }

  firstOfRanges(column: string): string {
    return `${firstOf(this.#items(column).map(rangeOf))}`;
  }

  computed(_name: string, text: string): string {
    return text;
  }

  specialized(known: (columns: Columns) => string): string {
    return known(this.#columns);
  }

  #items(column: string): readonly string[] {
    const items = this.#columns[column];
    if (!items) throw new Error(`a rule reads the column ${column}, which the rule does not have`);
    return items;
  }
}

/**
 * The values of a candidate, read from its row. For columns that are the same for all candidates, the CEL contains
 * literals. The returned CEL is not valid outside `bind`.
 */
export class RowValues implements Values {
  readonly #row: string;
  readonly #level: string;
  readonly #prefix: string;
  readonly #common: Columns;
  readonly #literals: LiteralValues;
  /** The CEL expressions that `bind` computes. The key is the name that `bind` gives to the expression's value. */
  readonly #bound = new Map<string, string>();

  /**
   * @param row CEL of type map(string, list(string)): the row
   * @param level CEL of type map(string, list(string)): all columns of the row's level
   * @param common the columns that are the same for all candidates
   * @param prefix the prefix of the names that `bind` gives to values
   */
  constructor(row: string, level: string, common: Columns, prefix = '') {
    this.#row = row;
    this.#level = level;
    this.#common = common;
    this.#literals = new LiteralValues(common);
    this.#prefix = prefix;
  }

  list(column: string): string {
    if (this.#isCommon(column)) return this.#literals.list(column);
    const own = `${this.#row}.${column}`;
    return this.#bind(column, `has(${own}) ? ${own} : ${this.#level}.${column}`);
  }

  includes(column: string, item: string): Condition {
    if (this.#isCommon(column)) return this.#literals.includes(column, item);
    return `${literal(item)} in ${this.list(column)}`;
  }

  hasSome(column: string): Condition {
    if (this.#isCommon(column)) return this.#literals.hasSome(column);
    return `${this.list(column)}.size() > 0`;
  }

  first(column: string): string {
    if (this.#isCommon(column)) return this.#literals.first(column);
    const list = this.list(column);
    return `(${list}.size() > 0 ? ${list}[0] : "")`;
  }

  listed(column: string): string {
    if (this.#isCommon(column)) return this.#literals.listed(column);
    const list = this.list(column);
    return `(${list}.size() > 0 ? ${list}.join(", ") : "none")`;
  }

  matches(text: string, column: string): string {
    if (this.#isCommon(column)) return this.#literals.matches(text, column);
    return matchesIn(text, this.list(column));
  }

  isInRanges(number: string, column: string): string {
    if (this.#isCommon(column)) return this.#literals.isInRanges(number, column);
    return `${this.#ranges(column)}.exists(r, r[0] <= ${number} && ${number} <= r[1])`;
  }

  firstOfRanges(column: string): string {
    if (this.#isCommon(column)) return this.#literals.firstOfRanges(column);
    const ranges = this.#ranges(column);
    return `(${ranges}.size() > 0 ? ${ranges}[0][0] : ${UNSET})`;
  }

  computed(name: string, text: string): string {
    return this.#bind(name, text);
  }

  specialized(known: (columns: Columns) => string, general: () => string): string {
    const read: PropertyKey[] = [];
    const common = new Proxy(this.#common, {
      get: (columns, column: string) => {
        read.push(column);
        return columns[column];
      },
    });
    const text = known(common);
    return read.every((column) => this.#isCommon(`${String(column)}`)) ? text : general();
  }

  /** The names that `bind` gives to values in the CEL. */
  names(text: string): string[] {
    return [...this.#bound.keys()].filter((name) => new RegExp(`(?<![.\\w?"])${name}\\b`).test(text));
  }

  /**
   * Returns a CEL expression of type bool. The expression computes each value once, before it evaluates `text`.
   * @param text CEL of type bool
   */
  bind(text: string): string {
    return this.#around(text, '.all(', ')');
  }

  /** Works like `bind`, but for a CEL expression of any type. */
  bindValue(text: string): string {
    return this.#around(text, '.map(', ')[0]');
  }

  #around(text: string, macro: string, end: string): string {
    const needed = new Set(this.names(text));
    const bound = [...this.#bound];
    for (const [name, value] of bound.toReversed()) {
      if (needed.has(name)) for (const other of this.names(value)) needed.add(other);
    }
    const kept = bound.filter(([name]) => needed.has(name));
    const before = kept.map(([name, value]) => `[${value}]${macro}${name}, `).join('');
    return `${before}${text}${end.repeat(kept.length)}`;
  }

  #isCommon(column: string): boolean {
    return Object.hasOwn(this.#common, column);
  }

  #ranges(column: string): string {
    const list = this.list(column);
    const parsed = `${list}.map(r, r.split("-")).map(r, [int(r[0]), int(r[r.size() - 1])])`;
    return this.#bind(`${column}Ranges`, parsed);
  }

  #bind(name: string, text: string): string {
    const bound = this.#prefix === '' ? name : `${this.#prefix}_${name}`;
    this.#bound.set(bound, text);
    return bound;
  }
}

function rangeOf(text: string) {
  const [min = UNSET, max = min] = text.split('-').map(Number);
  return { min, max };
}
