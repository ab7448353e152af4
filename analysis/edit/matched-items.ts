/** Finds the items of a changed list that correspond to items of the original list. */
import { isDeepStrictEqual } from 'node:util';

interface Matched {
  /**
   * The new value of each item that the list keeps. The key is the old index of the item. Items without an entry were
   * removed.
   */
  readonly kept: ReadonlyMap<number, unknown>;
  /** The new items. A new item corresponds to no old item. The new items are added at the end of the list. */
  readonly added: readonly unknown[];
}

/** Matches the items of two lists. The number of changed items is as small as possible. */
export function matchedItems(before: readonly unknown[], after: readonly unknown[]): Matched {
  if (after.length >= before.length) {
    return { kept: new Map(before.map((_, index) => [index, after[index]])), added: after.slice(before.length) };
  }
  // changes[i][j] is the lowest number of changed items, if each of the first j items of `after` corresponds to one of
  // the first i items of `before`.
  const changes = before.map(() => after.map(() => Number.POSITIVE_INFINITY));
  const least = (i: number, j: number): number =>
    j < 0 ? 0 : i < 0 ? Number.POSITIVE_INFINITY : (changes[i]?.[j] ?? 0);
  const cost = (i: number, j: number) => (isDeepStrictEqual(before[i], after[j]) ? 0 : 1);
  for (const i of before.keys()) {
    for (const j of after.keys()) {
      (changes[i] as number[])[j] = Math.min(least(i - 1, j), least(i - 1, j - 1) + cost(i, j));
    }
  }
  const kept = new Map<number, unknown>();
  for (let i = before.length - 1, j = after.length - 1; i >= 0 && j >= 0; i -= 1) {
    if (least(i - 1, j) <= least(i - 1, j - 1) + cost(i, j)) continue;
    kept.set(i, after[j]);
    j -= 1;
  }
  return { kept, added: [] };
}
