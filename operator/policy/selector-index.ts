/**
 * Finds the selectors that match a namespace or overlap another selector, without comparing all selectors. The index
 * stores each selector under one label that the selector requires. A cluster may have hundreds of policies that each
 * select one namespace. With the index, a search among hundreds of these policies is as cheap as a search with one
 * policy.
 */
import type { LabelSelector } from '../api/capability-policy.ts';
import { type Labels, matches, mayOverlap, requiredValues } from './selector.ts';

interface Selecting {
  readonly selector: LabelSelector;
}

export class SelectorIndex<Item extends Selecting> {
  /** The position of each item, so that results keep the given order. */
  readonly #position: ReadonlyMap<Item, number>;
  /**
   * The items that are indexed by a label. The first key is the key of the label, the second key is the label's value.
   */
  readonly #filed = new Map<string, Map<string, Item[]>>();
  /** The items whose selectors require no label value. */
  readonly #unfiled: Item[] = [];

  constructor(items: readonly Item[]) {
    this.#position = new Map(items.map((item, index) => [item, index]));
    const uses = countUses(items);
    for (const item of items) {
      const rarest = requiredValues(item.selector)
        .map(([key, values]) => ({ key, values, uses: sum(values.map((value) => uses.get(`${key}\n${value}`) ?? 0)) }))
        .reduce((best, one) => (best && best.uses <= one.uses ? best : one), NONE);
      if (rarest) this.#file(item, rarest.key, rarest.values);
      else this.#unfiled.push(item);
    }
  }

  /** The items that select a namespace with these labels, in the given order. */
  selecting(labels: Labels): Item[] {
    const filed = Object.entries(labels).flatMap(([key, value]) => this.#filed.get(key)?.get(value) ?? []);
    return this.#inOrder([...this.#unfiled, ...filed].filter(({ selector }) => matches(selector, labels)));
  }

  /** The items whose selectors overlap with this selector, in the given order. */
  overlapping(selector: LabelSelector): Item[] {
    const required = new Map(requiredValues(selector));
    const filed = [...this.#filed].flatMap(([key, byValue]) => {
      const values = required.get(key) ?? [...byValue.keys()];
      return values.flatMap((value) => byValue.get(value) ?? []);
    });
    const candidates = new Set([...this.#unfiled, ...filed]);
    return this.#inOrder([...candidates].filter((item) => mayOverlap(item.selector, selector)));
  }

  #file(item: Item, key: string, values: readonly string[]): void {
    const byValue = this.#filed.get(key) ?? new Map<string, Item[]>();
    this.#filed.set(key, byValue);
    for (const value of new Set(values)) byValue.set(value, [...(byValue.get(value) ?? []), item]);
  }

  #inOrder(items: Item[]): Item[] {
    return items.sort((a, b) => (this.#position.get(a) ?? 0) - (this.#position.get(b) ?? 0));
  }
}

const NONE: { key: string; values: readonly string[]; uses: number } | undefined = undefined;

/** Counts how many items require a value of a label. A key of the map consists of the label's key and value. */
function countUses(items: readonly Selecting[]): Map<string, number> {
  const uses = new Map<string, number>();
  for (const { selector } of items) {
    for (const [key, values] of requiredValues(selector)) {
      for (const value of values) uses.set(`${key}\n${value}`, (uses.get(`${key}\n${value}`) ?? 0) + 1);
    }
  }
  return uses;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
