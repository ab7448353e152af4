/** Takes snapshots of clusters that a test has in memory. */
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import { snapshotOf } from '../../cli/commands/snapshot/run.ts';
import type { Rights } from '../../cli/live.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { Cluster, RoleView } from '../../operator/model/objects.ts';
import { binding, useRole } from './views.ts';

export const ALL_RIGHTS: Rights = { forbidden: [], missing: [], canEvaluate: true, usersKnown: true, installed: true };

/** Default options for taking a snapshot in tests. */
export const TAKING = { operatorNamespace: 'operator', excludedNamespaces: ['kube-*'], context: 'test', at: 0 };

/** An evaluator that all snapshots share, because the evaluator caches its compiled expressions. */
const evaluator = new Evaluator();

/** Takes a snapshot, and returns the snapshot in the form that a reader of the document gets. */
export function takenSnapshot(
  cluster: Cluster,
  options: Parameters<typeof snapshotOf>[2] = TAKING,
  rights: Rights = ALL_RIGHTS,
): Snapshot {
  return JSON.parse(JSON.stringify(snapshotOf(cluster, rights, options, evaluator)));
}

type RbacList = 'roles' | 'roleBindings';

/** The cluster and the rights that a user sees who may not list roles, bindings, or both. */
export function readWithout(unread: readonly RbacList[], cluster: Cluster): { cluster: Cluster; rights: Rights } {
  const empty = Object.fromEntries(unread.map((list) => [list, () => []]));
  return { cluster: { ...cluster, ...empty }, rights: { ...ALL_RIGHTS, usersKnown: unread.length === 0 } };
}

/**
 * The snapshot with rights for everybody. If the snapshot lacks some roles or bindings, the page assumes rights for
 * everybody.
 */
export function withRightsForAll<Of extends Pick<Snapshot, RbacList>>(of: Of, unread: readonly RbacList[]): Of {
  if (unread.length === 0) return of;
  const all: RoleView = { ...useRole('any', { resourceNames: [] }), name: 'use-all' };
  const groups = ['system:authenticated', 'system:serviceaccounts'].map((name) => ({ kind: 'Group', name }) as const);
  const roleBindings = groups.map((group) => ({ ...binding('use-all', group), name: group.name }));
  return { ...of, roles: [all], roleBindings };
}
