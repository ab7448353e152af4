/** Who owns a namespace's Pod Security labels, as its managedFields tell. */
import type { FieldOwner } from './objects.ts';
import { objectOf, type RawManagedFields } from './raw.ts';

const PREFIX = 'pod-security.kubernetes.io/';
/** In fieldsV1 a field's key is its name after `f:` (sigs.k8s.io/structured-merge-diff, fieldpath/serialize-pe.go). */
const FIELD = 'f:';

/** Label key → its owners, each once whatever subresource it wrote through; sorted. */
export function labelOwners(managedFields: readonly RawManagedFields[]): Record<string, readonly FieldOwner[]> {
  const owners = new Map<string, FieldOwner[]>();
  for (const { manager, operation, fieldsV1 } of managedFields) {
    if (manager === undefined || (operation !== 'Apply' && operation !== 'Update')) continue;
    const labels = objectOf(objectOf(objectOf(fieldsV1)['f:metadata'])['f:labels']);
    for (const field of Object.keys(labels)) {
      if (field.startsWith(FIELD + PREFIX)) add(owners, field.slice(FIELD.length), { manager, operation });
    }
  }
  return Object.fromEntries(
    [...owners].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, list]) => [key, list.sort(byName)]),
  );
}

function add(owners: Map<string, FieldOwner[]>, key: string, owner: FieldOwner): void {
  const known = owners.get(key) ?? [];
  if (!known.some((other) => byName(other, owner) === 0)) owners.set(key, [...known, owner]);
}

function byName(a: FieldOwner, b: FieldOwner): number {
  const [left, right] = [`${a.manager} ${a.operation}`, `${b.manager} ${b.operation}`];
  return left < right ? -1 : left > right ? 1 : 0;
}
