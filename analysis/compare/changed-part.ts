/** The part in which two similar pods differ, so that a check that does not read this part need not be evaluated again. */
import { CONTAINER_LISTS } from '../../operator/model/containers.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import type { Roots, Tree } from './read-parts.ts';

/** The root of paths (paths.ts), or `@` for all annotations, and the fields below it. */
export type Part = readonly string[];

/**
 * The smallest part that has all differences; undefined if there is no such part. Objects count as different if they are
 * not the same object.
 */
export function changedPart(before: PodContent, after: PodContent): Part | undefined {
  if (before.spec === after.spec) return ['@'];
  const field = onlyChanged(before.spec, after.spec);
  if (before.annotations !== after.annotations || field === undefined) return undefined;
  if (field === 'volumes') return ['v'];
  const [a, b] = [before.spec[field], after.spec[field]];
  return CONTAINER_LISTS.some((list) => list === field) ? partOfItems(a, b) : partBelow(['spec', field], a, b);
}

/** The part of the only container that has changed. */
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

/** The only field whose value is not the same in both objects; undefined if there are more, or none. */
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

/** Whether a check with these roots reads something in the part. @param ofSpec the fields of the pod itself that it reads */
export function readsPart(roots: Roots, ofSpec: Tree | undefined, [root = '', ...fields]: Part): boolean {
  switch (root) {
    case 'c':
      // The keys of some annotations end with the names of containers.
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
    // A tree without fields is read as a whole.
    if (below === undefined || Object.keys(below).length === 0) break;
    below = below[field];
  }
  return below !== undefined;
}
