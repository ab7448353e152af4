import { type Migration, migrate } from '../../analysis/migrate/migrate.ts';
import type { PspSet } from './objects.ts';

/** The label that marks the namespaces of a set. The value of the label is the ID of the set. */
export const SET_LABEL = 'psp-set';
/**
 * A phrase in a note that the migration returns. The note says that a PodSecurityPolicy refused pods with an empty list
 * of groups. Today, an admission policy cannot distinguish an empty list from a missing list.
 */
export const EMPTY_GROUPS = 'except for pods with `supplementalGroups: []`';

/** Migrates the policies of a set, for the set's own namespaces only. */
export function migrated({ id, policies, rbac }: PspSet): Migration {
  const namespaceSelector = { matchLabels: { [SET_LABEL]: id } };
  return migrate([...policies, ...rbac], { mode: 'Enforce', namespaceSelector });
}
