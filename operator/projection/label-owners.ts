/**
 * Finds the owners of a namespace's Pod Security labels. The namespace's managedFields and the annotation of `kubectl
 * apply` show the owners.
 */
import { FIELD_MANAGER, RECORD } from '../api/capability-policy.ts';
import { entriesByKey } from '../model/by-key.ts';
import type { FieldOwner } from '../model/objects.ts';
import { objectOf, type RawMetadata, textsIn } from '../model/raw.ts';

const PREFIX = 'pod-security.kubernetes.io/';
/**
 * In fieldsV1, the key of a field is `f:` followed by the field's name (sigs.k8s.io/structured-merge-diff,
 * fieldpath/serialize-pe.go).
 */
const FIELD = 'f:';

export const LAST_APPLIED_ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * The field managers that own each label. The key is the key of the label. The list of field managers is sorted. The
 * list contains a field manager only once, even if the field manager wrote through several subresources.
 */
export function labelOwners(metadata: RawMetadata): Record<string, readonly FieldOwner[]> {
  const owners = new Map<string, FieldOwner[]>();
  const stated = statedLabels(metadata);
  for (const { manager, operation, fieldsV1 } of metadata.managedFields ?? []) {
    if (manager === undefined || (operation !== 'Apply' && operation !== 'Update')) continue;
    const labels = objectOf(objectOf(objectOf(fieldsV1)['f:metadata'])['f:labels']);
    for (const field of Object.keys(labels)) {
      if (!field.startsWith(FIELD + PREFIX)) continue;
      const key = field.slice(FIELD.length);
      const applies = operation === 'Apply' || (stated.has(key) && manager !== FIELD_MANAGER);
      add(owners, key, { manager, operation: applies ? 'Apply' : 'Update' });
    }
  }
  return Object.fromEntries(entriesByKey(owners).map(([key, list]) => [key, list.sort(byName)]));
}

/**
 * The sorted names of the field managers that apply the operator's record of its labels, without the operator. As for
 * labels, a client-side apply counts.
 */
export function recordAppliers({ managedFields, annotations }: RawMetadata): string[] {
  const isStated = lastAppliedMetadata(annotations, RECORD).annotations?.[RECORD] !== undefined;
  const owners = (managedFields ?? []).flatMap(({ manager, operation, fieldsV1 }) => {
    if (manager === undefined || manager === FIELD_MANAGER || !(operation === 'Apply' || isStated)) return [];
    const owned = objectOf(objectOf(objectOf(fieldsV1)['f:metadata'])['f:annotations']);
    return FIELD + RECORD in owned ? [manager] : [];
  });
  return [...new Set(owners)].sort();
}

/**
 * The current labels that a client-side apply set, according to the annotation of `kubectl apply`. Argo CD uses
 * client-side apply by default. In managedFields, a label from a client-side apply looks like a label that a person
 * changed. If the operator reverted a label of a client-side apply, the tool that set the label would apply its own
 * value again and again.
 */
function statedLabels({ labels, annotations }: RawMetadata): Set<string> {
  const stated = Object.entries(lastAppliedMetadata(annotations, PREFIX).labels ?? {});
  return new Set(stated.filter(([key, value]) => labels?.[key] === value).map(([key]) => key));
}

/** The labels and annotations of the last client-side apply, if its text contains `part`. */
function lastAppliedMetadata(annotations: unknown, part: string): Partial<Record<'labels' | 'annotations', Texts>> {
  const lastApplied = textsIn(annotations)[LAST_APPLIED_ANNOTATION];
  if (!lastApplied?.includes(part)) return {};
  const metadata = objectOf(objectOf(parsed(lastApplied)).metadata);
  return { labels: textsIn(metadata.labels), annotations: textsIn(metadata.annotations) };
}

type Texts = Readonly<Record<string, string>>;

/**
 * Parses the annotation of a client-side apply. The function does not trust the annotation, because anybody may write
 * it.
 */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function add(owners: Map<string, FieldOwner[]>, key: string, owner: FieldOwner): void {
  const known = owners.get(key) ?? [];
  if (!known.some((other) => byName(other, owner) === 0)) owners.set(key, [...known, owner]);
}

function byName(a: FieldOwner, b: FieldOwner): number {
  const [left, right] = [`${a.manager} ${a.operation}`, `${b.manager} ${b.operation}`];
  return left < right ? -1 : left > right ? 1 : 0;
}
