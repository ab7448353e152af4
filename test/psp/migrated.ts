import { type Migration, migrate } from '../../analysis/migrate/migrate.ts';
import type { PspSet } from './objects.ts';

/** The label of the namespaces of a set, with its ID as value. */
export const SET_LABEL = 'psp-set';
/** In the note that a policy refused such pods: today the API server does not show an empty list to policies. */
export const EMPTY_GROUPS = 'except for pods that write `supplementalGroups: []`';

/** For the set's own namespaces only. */
export function migrated({ id, policies, rbac }: PspSet): Migration {
  const namespaceSelector = { matchLabels: { [SET_LABEL]: id } };
  return migrate([...policies, ...rbac], { mode: 'Enforce', namespaceSelector });
}
