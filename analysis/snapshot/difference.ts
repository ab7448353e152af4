/**
 * The changes from one snapshot to the next, as JSON. For two documents of the same SnapshotTaker, the changes are
 * small. For any two documents, the changes are correct.
 */
import type { Violation } from '../../operator/evaluate/violations.ts';
import type { RoleBindingView, RoleView } from '../../operator/model/objects.ts';
import type { Shape, Snapshot, SnapshotNamespace, SnapshotPolicy } from './document.ts';
import { isSame } from './same.ts';

export interface Difference {
  /** The new values of all fields that are not lists of objects. */
  readonly fields: Fields;
  readonly policies?: NamedDifference<SnapshotPolicy>;
  readonly namespaces?: NamedDifference<SnapshotNamespace>;
  readonly shapes?: IndexedDifference<Shape>;
  readonly violations?: IndexedDifference<Violation>;
  /** All roles of the new document; absent if they are unchanged. */
  readonly roles?: readonly RoleView[];
  /** All role bindings of the new document; absent if they are unchanged. */
  readonly roleBindings?: readonly RoleBindingView[];
}

type Fields = Pick<
  Snapshot,
  | 'taken'
  | 'context'
  | 'serverVersion'
  | 'operatorNamespace'
  | 'excludedNamespaces'
  | 'missing'
  | 'usersKnown'
  | 'installed'
>;

/** The changes to a list that is sorted by name. */
interface NamedDifference<Item> {
  /** The items that are new or changed. */
  readonly put: readonly Item[];
  /** The names of the items that no longer exist. */
  readonly gone: readonly string[];
}

/** The changes to a list whose items are identified by their index. */
interface IndexedDifference<Item> {
  /** The number of leading items that have not changed. */
  readonly kept: number;
  readonly added: readonly Item[];
}

/** The changes between two snapshots; undefined if the snapshots differ only in their time. */
export function differenceOf(before: Snapshot, after: Snapshot): Difference | undefined {
  const policies = namedDifference(before.policies, after.policies);
  const namespaces = namedDifference(before.namespaces, after.namespaces);
  const shapes = indexedDifference(before.shapes, after.shapes);
  const violations = indexedDifference(before.violations, after.violations);
  const lists = {
    ...(policies && { policies }),
    ...(namespaces && { namespaces }),
    ...(shapes && { shapes }),
    ...(violations && { violations }),
    ...(!areSame(before.roles, after.roles) && { roles: after.roles }),
    ...(!areSame(before.roleBindings, after.roleBindings) && { roleBindings: after.roleBindings }),
  };
  const fields = fieldsOf(after);
  const changed = Object.keys(lists).length > 0 || !isSame({ ...fieldsOf(before), taken: fields.taken }, fields);
  return changed ? { fields, ...lists } : undefined;
}

export function withDifference(before: Snapshot, difference: Difference): Snapshot {
  const { fields, policies, namespaces, shapes, violations } = difference;
  const { installed: _, ...kept } = before;
  return {
    ...kept,
    ...fields,
    policies: withNamed(before.policies, policies),
    namespaces: withNamed(before.namespaces, namespaces),
    shapes: withIndexed(before.shapes, shapes),
    violations: withIndexed(before.violations, violations),
    roles: difference.roles ?? before.roles,
    roleBindings: difference.roleBindings ?? before.roleBindings,
  };
}

function fieldsOf({
  taken,
  context,
  serverVersion,
  operatorNamespace,
  excludedNamespaces,
  missing,
  usersKnown = true,
  installed,
}: Snapshot): Fields {
  return {
    taken,
    context,
    serverVersion,
    operatorNamespace,
    excludedNamespaces,
    missing,
    usersKnown,
    ...(installed === false && { installed }),
  };
}

interface Named {
  readonly name: string;
}

function namedDifference<Item extends Named>(
  before: readonly Item[],
  after: readonly Item[],
): NamedDifference<Item> | undefined {
  const known = new Map(before.map((item) => [item.name, item]));
  const there = new Set(after.map(({ name }) => name));
  const put = after.filter((item) => !isSame(known.get(item.name), item));
  const gone = before.map(({ name }) => name).filter((name) => !there.has(name));
  return put.length > 0 || gone.length > 0 ? { put, gone } : undefined;
}

function withNamed<Item extends Named>(
  before: readonly Item[],
  difference: NamedDifference<Item> | undefined,
): readonly Item[] {
  if (!difference) return before;
  const items = new Map(before.map((item) => [item.name, item]));
  for (const name of difference.gone) items.delete(name);
  for (const item of difference.put) items.set(item.name, item);
  return [...items.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function indexedDifference<Item extends object>(
  before: readonly Item[],
  after: readonly Item[],
): IndexedDifference<Item> | undefined {
  const differs = after.findIndex((item, index) => !isSame(before[index], item));
  const kept = differs === -1 ? after.length : differs;
  const added = after.slice(kept);
  return added.length > 0 || kept < before.length ? { kept, added } : undefined;
}

function withIndexed<Item>(before: readonly Item[], difference: IndexedDifference<Item> | undefined): readonly Item[] {
  return difference ? [...before.slice(0, difference.kept), ...difference.added] : before;
}

function areSame(before: readonly object[], after: readonly object[]): boolean {
  return before.length === after.length && after.every((item, index) => isSame(before[index], item));
}
