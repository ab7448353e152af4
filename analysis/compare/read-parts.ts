/**
 * Gives names to parts of pods. The name depends only on the fields that a check reads. If two parts have the same
 * name, the check has the same result for both parts. The check is therefore evaluated for only one of the two parts.
 */
import { perObject } from '../../operator/policy/memo.ts';
import { keysOf, rootOf } from './paths.ts';
import type { Reads } from './reads.ts';

/** The fields that checks read below an object. The tree has no fields if the object is read as a whole. */
export interface Tree {
  readonly [field: string]: Tree;
}
export const WHOLE: Tree = Object.freeze({});

/**
 * For each root of a path, the fields that a check reads below the root. The key is the root. The key of annotations is
 * `@`.
 */
export type Roots = ReadonlyMap<string, Tree>;

export class ReadParts {
  readonly #names = new Map<string, string>();
  /** For each tree, maps an object to the object's name. */
  readonly #namesFor = perObject((_: Tree) => new WeakMap<object, string>());
  readonly #trees = new Map([['{}', WHOLE]]);
  readonly #roots = new Map<string, Roots>();

  /** All checks that read the same fields share one object. */
  readonly rootsOf = perObject(({ paths }: Reads): Roots => {
    const roots = [...rootsOf([...paths])].sort(([a], [b]) => (a < b ? -1 : 1));
    const text = JSON.stringify(roots);
    const known = this.#roots.get(text) ?? new Map(roots.map(([root, tree]) => [root, this.#shared(tree)]));
    this.#roots.set(text, known);
    return known;
  });

  /**
   * A short name for the value. The name depends only on the fields in the tree. If there is no tree, the name is
   * empty.
   */
  nameOf(value: object, tree: Tree | undefined): string {
    return tree ? this.#name(value, tree, () => this.textOf(value, tree)) : '';
  }

  /** A short name for the list. The name depends only on those fields of the items that the tree contains. */
  nameOfItems(list: readonly object[], tree: Tree | undefined): string {
    return tree ? this.#name(list, tree, () => list.map((one) => this.nameOf(one, tree)).join(' ')) : '';
  }

  #name(value: object, tree: Tree, textOf: () => string): string {
    const names = this.#namesFor(tree);
    const known = names.get(value);
    if (known !== undefined) return known;
    const text = textOf();
    const name = this.#names.get(text) ?? `#${this.#names.size}`;
    this.#names.set(text, name);
    names.set(value, name);
    return name;
  }

  /** Equal trees are one shared object. Checks that read the same fields therefore share the names. */
  #shared(tree: Tree): Tree {
    const text = JSON.stringify(tree);
    const known =
      this.#trees.get(text) ??
      Object.fromEntries(Object.entries(tree).map(([field, below]) => [field, this.#shared(below)]));
    this.#trees.set(text, known);
    return known;
  }

  /**
   * A text that identifies the value, like the result of `nameOf`. The text is longer than a name, and is not kept in
   * memory. In the text, objects below the value are represented by their names.
   */
  textOf(value: object, tree: Tree): string {
    const fields = fieldsOf(tree);
    if (fields.length === 0) return JSON.stringify(value);
    let text = '';
    for (const [field, below] of fields) {
      const own = (value as Record<string, unknown>)[field];
      if (own === undefined) continue;
      const name = typeof own === 'object' && own !== null ? this.nameOf(own, below) : JSON.stringify(own);
      text += `${field}:${name},`;
    }
    return text;
  }
}

const fieldsOf = perObject((tree: Tree) => Object.entries(tree));
const KEYS = keysOf('');

function rootsOf(paths: readonly string[]): Roots {
  const roots = new Map<string, Record<string, Tree>>();
  // A check that reads all keys of an object reads the object as a whole. If the object is read as a whole, the paths
  // below the object do not matter.
  const order = (path: string) => (path.endsWith(KEYS) ? -path.length : Number.NEGATIVE_INFINITY);
  for (const path of paths.toSorted((a, b) => order(a) - order(b) || 0)) {
    const isAnnotation = path.includes('@') || path.startsWith('annotations');
    const root = isAnnotation ? '@' : path.startsWith('spec.volumes') ? 'v' : rootOf(path);
    let tree = roots.get(root) ?? {};
    roots.set(root, tree);
    const [fields = ''] = path.split(/[[#]/);
    const steps = fields.split('.').slice(1);
    if (path.endsWith(KEYS) && steps.length === 0) roots.set(root, {});
    for (const [i, step] of steps.entries()) {
      if (path.endsWith(KEYS) && i === steps.length - 1) tree[step] = {};
      tree[step] ??= {};
      tree = tree[step];
    }
  }
  return roots;
}
