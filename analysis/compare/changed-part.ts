/**
 * Finds the part in which two similar pods differ. A check that does not read this part has the same result for both
 * pods, so the check need not be evaluated again.
 */
import { CONTAINER_LISTS } from '../../operator/model/containers.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import type { Roots, Tree } from './read-parts.ts';

/**
 * The first item is the root of a path (paths.ts), or `@` for all annotations. The other items are the names of nested
 * fields.
 */
export type Part = readonly string[];

/**
 * The smallest part that contains all differences; undefined if there is no such part. Objects are compared by
 * identity. Two different objects with equal fields count as different.
 */
export function changedPart(before: PodContent, after: PodContent): Part | undefined {
  if (before.spec === after.spec) return ['@'];
  const field = onlyChanged(before.spec, after.spec);
  if (before.annotations !== after.annotations || field === undefined) return undefined;
  if (field === 'volumes') return ['v'];
  const [a, b] = [before.spec[field], after.spec[field]];
  return CONTAINER_LISTS.some((list) => list === field) ? partOfItems(a, b) : partBelow(['spec', field], a, b);
}

/**
 * The changed part of a container. If no container has changed, or if several containers have changed, the result is
 * undefined.
 */
function partOfItems(before: unknown, after: unknown): Part | undefined {
  if (!Array.isArray(before) || !Array.isArray(after) || before.length !== after.length) return undefined;
  const places = before.flatMap((one, i) => (one === after[i] ? [] : [i]));
  const [place = 0] = places;
  return places.length === 1 ? partBelow(['c'], before[place], after[place]) : undefined;
}

function partBelow(part: Part, before: unknown, after: unknown): Part {
  if (!isObject(before) || !isObject(after)) return part;
  const field = onlyChanged(before, after);
  return field === undefined ? part : partBelow([...part, field], before[field], after[field]);
}

type Fields = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The only field whose value differs between the two objects. The result is undefined if no field or several fields
 * differ.
 */
function onlyChanged(before: Fields, after: Fields): string | undefined {
  let found: string | undefined;
  for (const object of [before, after]) {
    for (const field in object) {
      if (before[field] === after[field] || field === found) continue;
      if (found !== undefined) return undefined;
      found = field;
    }
  }
  return found;
}

/**
 * Whether a check reads a field of the part. `roots` has the fields that the check reads below each root.
 * @param ofSpec the fields of the pod itself that the check reads
 */
export function readsPart(roots: Roots, ofSpec: Tree | undefined, [root = '', ...fields]: Part): boolean {
  switch (root) {
    case 'c':
      // The keys of some annotations end with the name of a container.
      return roots.has('@') || ['c', 'x'].some((one) => reaches(roots.get(one), fields));
    case 'spec':
      return reaches(ofSpec, fields);
    default:
      return roots.has(root);
  }
}

function reaches(tree: Tree | undefined, fields: readonly string[]): boolean {
  let below = tree;
  for (const field of fields) {
    // A tree without fields means that the check reads the whole object.
    if (below === undefined || Object.keys(below).length === 0) break;
    below = below[field];
  }
  return below !== undefined;
}
