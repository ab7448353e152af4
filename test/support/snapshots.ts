/** Snapshots of clusters that a test has in memory. */
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import { snapshotOf } from '../../cli/commands/snapshot/run.ts';
import type { Rights } from '../../cli/live.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { Cluster, RoleView } from '../../operator/model/objects.ts';
import { binding, useRole } from './views.ts';

export const ALL_RIGHTS: Rights = { forbidden: [], missing: [], canEvaluate: true, usersKnown: true };

/** How tests take a snapshot that do not test this. */
export const TAKING = { operatorNamespace: 'operator', excludedNamespaces: ['kube-*'], context: 'test', at: 0 };

/** One for all, since it keeps what it compiled. */
const evaluator = new Evaluator();

/** As its reader gets it. */
export function takenSnapshot(
  cluster: Cluster,
  options: Parameters<typeof snapshotOf>[2] = TAKING,
  rights: Rights = ALL_RIGHTS,
): Snapshot {
  return JSON.parse(JSON.stringify(snapshotOf(cluster, rights, options, evaluator)));
}

type RbacList = 'roles' | 'roleBindings';

/** As somebody reads it who may not list some of its roles and bindings. */
export function readWithout(unread: readonly RbacList[], cluster: Cluster): { cluster: Cluster; rights: Rights } {
  const empty = Object.fromEntries(unread.map((list) => [list, () => []]));
  return { cluster: { ...cluster, ...empty }, rights: { ...ALL_RIGHTS, usersKnown: unread.length === 0 } };
}

/** The same with rights for everybody, as the API server has them, if some roles or bindings were not read. */
export function withRightsForAll<Of extends Pick<Snapshot, RbacList>>(of: Of, unread: readonly RbacList[]): Of {
  if (unread.length === 0) return of;
  const all: RoleView = { ...useRole('any', { resourceNames: [] }), name: 'use-all' };
  const groups = ['system:authenticated', 'system:serviceaccounts'].map((name) => ({ kind: 'Group', name }) as const);
  const roleBindings = groups.map((group) => ({ ...binding('use-all', group), name: group.name }));
  return { ...of, roles: [all], roleBindings };
}
