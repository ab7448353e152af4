/** Builds selectors that select namespaces by their names. */
import { type LabelSelector, NAME_LABEL } from '../../operator/api/capability-policy.ts';

export type NonEmpty<Item> = readonly [Item, ...Item[]];

/** The API's limits for the number of values in one expression of a selector, and for the number of expressions. */
const MOST_VALUES = 100;
const MOST_EXPRESSIONS = 16;

/** @param namespaces at least one namespace, and at most as many as one chunk of `inChunks` contains */
export function selectorOf(namespaces: readonly string[]): LabelSelector {
  const [first = '', ...others] = namespaces;
  return others.length === 0
    ? { matchLabels: { [NAME_LABEL]: first } }
    : { matchExpressions: [{ key: NAME_LABEL, operator: 'In', values: [...namespaces] }] };
}

/**
 * A selector for all namespaces except the given namespaces. The result is undefined if there are too many names for a
 * selector.
 */
export function allBut(namespaces: readonly string[]): LabelSelector | undefined {
  const chunks = inChunks(namespaces);
  if (chunks.length === 0) return {};
  if (chunks.length > MOST_EXPRESSIONS) return undefined;
  return { matchExpressions: chunks.map((values) => ({ key: NAME_LABEL, operator: 'NotIn', values: [...values] })) };
}

/** Splits the items into lists that are short enough for one expression. */
export function inChunks<Item>(items: readonly Item[]): NonEmpty<Item>[] {
  const [first, ...others] = items.slice(0, MOST_VALUES);
  return first === undefined ? [] : [[first, ...others], ...inChunks(items.slice(MOST_VALUES))];
}
