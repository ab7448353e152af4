/** Selectors of namespaces by their names. */
import { type LabelSelector, NAME_LABEL } from '../../operator/api/capability-policy.ts';

export type NonEmpty<Item> = readonly [Item, ...Item[]];

/** The API's limits for the values in one expression of a selector, and for the number of expressions. */
const MOST_VALUES = 100;
const MOST_EXPRESSIONS = 16;

/** @param namespaces one or several namespaces, at most as many as `inChunks` returns together */
export function selectorOf(namespaces: readonly string[]): LabelSelector {
  const [first = '', ...others] = namespaces;
  return others.length === 0
    ? { matchLabels: { [NAME_LABEL]: first } }
    : { matchExpressions: [{ key: NAME_LABEL, operator: 'In', values: [...namespaces] }] };
}

/** A selector of all namespaces except the given ones; undefined if these are too many to name. */
export function allBut(namespaces: readonly string[]): LabelSelector | undefined {
  const chunks = inChunks(namespaces);
  if (chunks.length === 0) return {};
  if (chunks.length > MOST_EXPRESSIONS) return undefined;
  return { matchExpressions: chunks.map((values) => ({ key: NAME_LABEL, operator: 'NotIn', values: [...values] })) };
}

/** The items in lists that are short enough for one expression. */
export function inChunks<Item>(items: readonly Item[]): NonEmpty<Item>[] {
  const [first, ...others] = items.slice(0, MOST_VALUES);
  return first === undefined ? [] : [[first, ...others], ...inChunks(items.slice(MOST_VALUES))];
}
