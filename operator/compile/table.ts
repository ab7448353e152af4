/**
 * Turns policies into the table of a program. The table consists of constants of one type. The API server computes each
 * constant once. An index maps the value of a namespace label to the policies that require this value. Indexes exist
 * for the label with the namespace's name and for each label that many policies require. All other selectors become
 * conditions.
 */
import { type LabelSelector, NAME_LABEL } from '../api/capability-policy.ts';
import { perObject } from '../policy/memo.ts';
import { splitSelector } from '../policy/parts.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { keysOf, requiredValues, selectorCel } from '../policy/selector.ts';
import type { Variable } from './bound-variables.ts';
import { entriesOf, levelColumns, levelKey, type Row, rowOf } from './rows.ts';

/**
 * The maximum number of characters of one constant. The limit for an expression is 100,000 characters, but escaped
 * quotes make the JSON longer.
 */
const CHUNK = 60_000;
/**
 * A label gets an index if at least this number of policies require the label. The label with the namespace's name
 * always gets an index.
 */
const MANY = 8;
/**
 * The maximum number of characters of all look-ups in indexes. They are one expression. Policies whose label gets no
 * index are selected by a condition, which takes API servers longer to compile.
 */
const LOOK_UPS = 60_000;
/** The terms of a sum. An API server accepts at most 250 terms, so longer sums are sums of sums. */
const TERMS = 64;

export interface Table {
  /** The constants of the table: `levels`, `policies`, `containerRows` and the indexes. */
  readonly constants: readonly Variable[];
  /**
   * The names of the variables whose expressions depend on the policies: the constants, and the conditions of
   * selectors.
   */
  readonly names: readonly string[];
  /**
   * Selects the policies for several sets of labels.
   * @param sets each item is CEL of type map(string, string): the labels of a namespace
   */
  selecting(sets: readonly string[]): Selection;
  /** A CEL expression of type map(string, list(string)): the row at a position. @param position CEL of type int */
  rowAt(position: string): string;
  /** CEL expressions of type list(map(string, list(string))). Together, the expressions list all rows. */
  readonly chunks: readonly string[];
  readonly size: number;
  /**
   * A CEL expression of type bool: true if the condition holds for every row. The self-test uses this expression.
   * @param condition CEL of type bool, for a row `p`
   */
  everyRow(condition: string): string;
}

export interface Selection {
  /** The variables for the conditions of selectors, for all sets of labels. */
  readonly variables: readonly Variable[];
  /**
   * One CEL expression of type list(int) for each set of labels. The list has the positions of the policies that select
   * a namespace with these labels.
   */
  readonly positions: readonly string[];
}

/**
 * Makes the table of a program.
 * @param policies the policies in the order of the table
 * @param row returns the columns that this program needs
 */
export function tableOf(policies: readonly ResolvedPolicy[], row: (policy: ResolvedPolicy) => Row = rowOf): Table {
  const rows = chunked(
    'policies',
    policies.map((policy) => cel(row(policy))),
  );
  const { indexes, conditions } = selectionsOf(policies);
  const indexed = [...indexes].map(([key, byValue], i) => ({
    key,
    chunks: chunkedMap(key === NAME_LABEL ? 'byName' : `byLabel${i}`, byValue),
  }));
  const general = chunkedConditions(conditions);
  const lists = indexed.flatMap(({ key, chunks }) => chunks.map(({ name }) => lookUp(name, key)));
  const byIndex = (labels: string) => (lists.length > 0 ? [`[${labels}].map(l, ${sumOf(lists)})[0]`] : []);
  const chunks = rows.variables.map(({ name }) => `variables.${name}`);
  const constants = [
    levelsOf(policies),
    ...rows.variables,
    ...containersOf(policies),
    ...indexed.flatMap((one) => one.chunks),
  ];
  return {
    constants,
    names: [...constants, ...general].map(({ name }) => name),
    selecting: (sets) => ({
      // Each condition appears only once in the text, and is evaluated for all sets of labels. Each condition is in a
      // separate variable, so an edit of a selector counts as an edit of the table.
      variables: general.map(({ name, items }) => ({
        name,
        expression: `[${sets.join(', ')}].map(l, [\n${items}\n].filter(i, i >= 0))`,
      })),
      positions: sets.map((labels, set) => {
        const found = [...byIndex(labels), ...general.map(({ name }) => `variables.${name}[${set}]`)];
        return found.length > 1 ? `(${found.join(' + ')})` : (found[0] ?? '[]');
      }),
    }),
    rowAt: (position) => rows.at(position),
    chunks,
    size: policies.length,
    everyRow: (condition) =>
      policies.length === 0 ? 'true' : chunks.map((chunk) => `${chunk}.all(p, ${condition})`).join(' && '),
  };
}

/**
 * A value as a CEL constant, written as JSON. The function replaces lone surrogates, because CEL does not have lone
 * surrogates.
 */
export function cel(value: unknown): string {
  return JSON.stringify(value, (_key, part) => (typeof part === 'string' ? part.toWellFormed() : part));
}

function levelsOf(policies: readonly ResolvedPolicy[]): Variable {
  const levels = new Map(policies.map(({ standard }) => [levelKey(standard), standard]));
  const lines = [...levels]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, one]) => `${cel(key)}: ${cel(levelColumns(one))}`);
  return { name: 'levels', expression: lines.length === 0 ? '{"": {"": [""]}}' : `{\n${lines.join(',\n')}\n}` };
}

/** A CEL expression of type list(map): the entries of `spec.containers` of policy `p`. The policy must have entries. */
export const ENTRIES = 'variables.containerRows.filter(m, p.name[0] in m)[0][p.name[0]]';

/** The variables with the entries of `spec.containers`. Each variable is a map whose key is the policy's name. */
function containersOf(policies: readonly ResolvedPolicy[]): Variable[] {
  const lines = policies
    .filter(({ containers }) => containers.length > 0)
    .map((policy) => `${cel(policy.name)}: ${cel(entriesOf(policy))}`);
  const maps = split([...new Set(lines)]).map((some) => `{\n${some.join(',\n')}\n}`);
  if (maps.length <= 1) return maps.map((map) => ({ name: 'containerRows', expression: `[${map}]` }));
  const variables = maps.map((map, i) => ({ name: `containerRows${i}`, expression: map }));
  const all = variables.map(({ name }) => `variables.${name}`);
  return [...variables, { name: 'containerRows', expression: `[${all.join(', ')}]` }];
}

/** Splits items into lists that are each short enough for an expression. */
function chunked(name: string, items: readonly string[]) {
  const chunks = split(items.length > 0 ? items : ['{"": [""]}']);
  const variables = chunks.map((lines, i) => ({
    name: chunks.length === 1 ? name : `${name}${i}`,
    expression: `[\n${lines.join(',\n')}\n]`,
  }));
  let end = 0;
  const ends = chunks.map((lines) => (end += lines.length));
  const at = (position: string) => {
    const choices = variables.map(({ name }, i) => {
      const start = ends[i - 1] ?? 0;
      const item = `variables.${name}[${start === 0 ? position : `${position} - ${start}`}]`;
      return i === variables.length - 1 ? item : `${position} < ${ends[i]} ? ${item} : `;
    });
    return choices.length === 1 ? choices.join('') : `(${choices.join('')})`;
  };
  return { variables, at };
}

function chunkedMap(name: string, entries: ReadonlyMap<string, readonly number[]>): Variable[] {
  const lines = [...entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, rows]) => `${cel(key)}: ${cel(rows)}`);
  const chunks = split(lines);
  return chunks.map((some, i) => ({
    name: chunks.length === 1 ? name : `${name}${String.fromCharCode(97 + i)}`,
    expression: `{${some.join(', ')}}`,
  }));
}

/**
 * The conditions of selectors as CEL expressions of type int. If the condition holds, the value is the position of the
 * policy. If the condition does not hold, the value is -1.
 */
function chunkedConditions(conditions: ReadonlyMap<string, readonly number[]>) {
  const all = [...conditions].flatMap(([text, positions]) =>
    positions.map((position) => (text === 'true' ? `${position}` : `${text} ? ${position} : -1`)),
  );
  return split(all).map((some, i) => ({ name: i === 0 ? 'bySelector' : `bySelector${i}`, items: some.join(',\n') }));
}

function split(items: readonly string[]): string[][] {
  const chunks: string[][] = [];
  let length = Number.POSITIVE_INFINITY;
  for (const item of items) {
    const own = JSON.stringify(item).length;
    if (length + own > CHUNK) {
      chunks.push([]);
      length = 0;
    }
    chunks.at(-1)?.push(item);
    length += own;
  }
  return chunks;
}

/**
 * The positions of policies in the table, in groups. Within a group, all policies require the same label value, or have
 * selectors with the same condition.
 */
function selectionsOf(policies: readonly ResolvedPolicy[]) {
  const own = policies.map(({ selector }) => splitSelector(selector).own);
  const keys = own.map(indexKey);
  const indexed = indexedKeys(keys.filter((key) => key !== undefined));
  const indexes = new Map<string, Map<string, number[]>>();
  const conditions = new Map<string, number[]>();
  for (const [position, selector] of own.entries()) {
    const key = keys[position];
    if (key === undefined || !indexed.has(key)) {
      const text = selectorCel(selector, 'l');
      conditions.set(text, [...(conditions.get(text) ?? []), position]);
      continue;
    }
    const byValue = indexes.get(key) ?? new Map<string, number[]>();
    indexes.set(key, byValue);
    const [[, values] = ['', []] as const] = requiredValues(selector);
    for (const value of new Set(values)) byValue.set(value, [...(byValue.get(value) ?? []), position]);
  }
  return { indexes, conditions };
}

/** A CEL expression of type list(int): the policies that an index has for the value of a label in `l`. */
function lookUp(index: string, key: string): string {
  return `variables.${index}[?l[?${JSON.stringify(key)}].orValue("")].orValue([])`;
}

function sumOf(terms: readonly string[]): string {
  if (terms.length <= TERMS) return terms.join(' + ');
  const groups = Array.from({ length: Math.ceil(terms.length / TERMS) }, (_, i) =>
    terms.slice(i * TERMS, (i + 1) * TERMS),
  );
  return groups.map((group) => `(${group.join(' + ')})`).join(' + ');
}

/** @param keys the keys by which selectors can be indexed, one for each selector */
function indexedKeys(keys: readonly string[]): ReadonlySet<string> {
  const uses = [...Map.groupBy(keys, (key) => key)].map(([key, { length }]) => ({ key, length }));
  const most = uses
    .filter(({ key, length }) => key !== NAME_LABEL && length >= MANY)
    .sort((a, b) => b.length - a.length || (a.key < b.key ? -1 : 1));
  const indexed = new Set([NAME_LABEL]);
  let length = 0;
  for (const { key } of most) {
    length += lookUp('byLabel000', key).length;
    if (length <= LOOK_UPS) indexed.add(key);
  }
  return indexed;
}

/**
 * The label by which a selector can be indexed. The selector reads only this label, and requires one of several values
 * of the label. A selector for the empty value cannot be indexed. In an index, an absent label would count as an empty
 * label.
 */
function indexKey(selector: LabelSelector): string | undefined {
  const [required, ...others] = requiredValues(selector);
  if (!required || others.length > 0 || keysOf(selector).length > 1 || required[1].includes('')) return undefined;
  return required[0];
}

/**
 * JSON with a policy's row, its entries of `spec.containers` and its selector. The JSON changes when somebody edits the
 * policy.
 */
export function textOfRow(policy: ResolvedPolicy, row: (policy: ResolvedPolicy) => Row = rowOf): string {
  return JSON.stringify([row(policy), entriesOf(policy), policy.selector]);
}

/**
 * The JSON of a policy's row. The JSON leaves out the values of the level. The values of a level change only with the
 * operator's version.
 */
export const rowText: (policy: ResolvedPolicy) => string = perObject((policy) => textOfRow(policy));
