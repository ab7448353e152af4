/**
 * Counts the items of a list that one pod or container may need, so that several policies refuse it. Each policy may
 * refuse another item.
 */
import type { Expression } from './alternatives.ts';
import { keysOf } from './paths.ts';
import type { Reads } from './reads.ts';

/** The maximum number of items of a list that are tried together. */
export const MOST_TOGETHER = 4;

type Reading = Pick<Expression, 'id'> & { readonly reads: Reads };

/** For each list that checks read, the number of policies that may each refuse another item of the list. */
export type Together = ReadonlyMap<string, number>;

/**
 * @param refusing for each refusing policy, the checks that the admitting policy does not have. Defaulting leaves items
 * of a list unchanged, so one item breaks the checks before and after defaulting
 */
export function togetherIn(refusing: readonly (readonly Reading[])[]): Together {
  const readers = new Map<string, Set<string>>();
  for (const checks of refusing) {
    const ofPolicy = new Map<string, Set<number>>();
    for (const { id, reads } of checks)
      for (const list of listsIn(reads.paths)) ofPolicy.set(list, (ofPolicy.get(list) ?? new Set()).add(id));
    for (const [list, ids] of ofPolicy) readers.set(list, (readers.get(list) ?? new Set()).add([...ids].join()));
  }
  return new Map([...readers].map(([list, { size }]) => [list, size]));
}

/** A check of the names of an item's fields is left out, because any item can have the field that the check refuses. */
function listsIn(paths: ReadonlySet<string>): ReadonlySet<string> {
  const lists = [...paths].flatMap((path) => /^((?:spec|c)\.[^[\]#]*)\[\]/.exec(path)?.[1] ?? []);
  return new Set(lists.filter((list) => !paths.has(keysOf(`${list}[]`))));
}

/** All lists of two to `most` of the items, in the order of the items. */
export function severalOf<Item>(items: readonly Item[], most: number): Item[][] {
  let longest = items.map((item, i) => ({ list: [item], next: i + 1 }));
  const all: Item[][] = [];
  for (let length = 2; length <= most; length++) {
    longest = longest.flatMap(({ list, next }) =>
      items.slice(next).map((item, i) => ({ list: [...list, item], next: next + i + 1 })),
    );
    all.push(...longest.map(({ list }) => list));
  }
  return all;
}
