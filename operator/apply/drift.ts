/** Compares an object in the cluster with the rendered object, to find drift. The functions are pure. */
import { FIELD_MANAGER } from '../api/capability-policy.ts';
import type { Manifest } from '../compile/objects.ts';
import type { RenderedObject } from '../model/objects.ts';
import { arrayOf, objectOf } from '../model/raw.ts';
import { perObject } from '../policy/memo.ts';

/**
 * The defaults that API servers fill in (admissionregistration/v1 and rbac/v1 defaults.go). The key is the field's
 * name.
 */
const SERVER_DEFAULTS: Readonly<Record<string, string>> = {
  apiGroup: '"rbac.authorization.k8s.io"',
  failurePolicy: '"Fail"',
  matchPolicy: '"Equivalent"',
  namespaceSelector: '{}',
  objectSelector: '{}',
  scope: '"*"',
};

/**
 * The fields that belong to the operator completely. If somebody else adds a value to one of the listed fields, the
 * added value counts as drift.
 */
const OWNED = ['spec', 'rules', 'aggregationRule', 'roleRef', 'subjects'] as const;

/**
 * Whether the live object differs from the desired object. The function caches the result for each pair of objects,
 * because every pass compares thousands of unchanged pairs.
 */
export function hasDrifted(live: RenderedObject, desired: Manifest): boolean {
  return driftOf(live)(desired);
}

const driftOf = perObject((live: RenderedObject) => perObject((desired: Manifest) => differs(live, desired)));

function differs(live: RenderedObject, desired: Manifest): boolean {
  const { labels, annotations = {}, ownerReferences } = desired.metadata;
  return (
    OWNED.some((field) => canonical(live[field]) !== canonical(desired[field])) ||
    Object.entries(labels).some(([key, value]) => live.metadata.labels?.[key] !== value) ||
    Object.entries(annotations).some(([key, value]) => live.metadata.annotations?.[key] !== value) ||
    !ownerReferences.every((owner) => (live.metadata.ownerReferences ?? []).some((one) => sameOwner(one, owner))) ||
    ownersStated(live).some((uid) => !ownerReferences.some((owner) => objectOf(owner).uid === uid))
  );
}

/** The uids of the owners that the operator set. The function ignores owners that other field managers added. */
function ownersStated({ metadata }: RenderedObject): string[] {
  const ours = arrayOf(metadata.managedFields)
    .map(objectOf)
    .filter(({ manager }) => manager === FIELD_MANAGER);
  const fields = ours.map(({ fieldsV1 }) => objectOf(objectOf(objectOf(fieldsV1)['f:metadata'])['f:ownerReferences']));
  // The key of an owner reference is `k:{"uid":"…"}` (sigs.k8s.io/structured-merge-diff, fieldpath/serialize-pe.go).
  return fields.flatMap((owners) => Object.keys(owners).flatMap((key) => /^k:\{"uid":"(.+)"\}$/.exec(key)?.[1] ?? []));
}

function sameOwner(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b);
}

/** Returns JSON with sorted keys and without the API server's defaults. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'undefined';
  const entries = Object.entries(value)
    .map(([key, item]) => [key, canonical(item)] as const)
    .filter(([key, text]) => text !== SERVER_DEFAULTS[key] && text !== 'undefined')
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, text]) => `${JSON.stringify(key)}:${text}`).join(',')}}`;
}
