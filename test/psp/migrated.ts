import { type Migration, migrate } from '../../analysis/migrate/migrate.ts';
import type { PspSet } from './objects.ts';

/** The label of the namespaces of a set, with its ID as value. */
export const SET_LABEL = 'psp-set';

/** For the set's own namespaces only. */
export function migrated({ id, policies, rbac }: PspSet): Migration {
  const namespaceSelector = { matchLabels: { [SET_LABEL]: id } };
  return migrate([...policies, ...rbac], { mode: 'Enforce', namespaceSelector });
}
