/** Whether an object in the cluster still says what was rendered. Pure. */
import type { RenderedObject } from '../cluster/objects.ts';
import type { Manifest } from '../compile/objects.ts';

/** What API servers fill in (admissionregistration/v1 and rbac/v1 defaults.go), by field name. */
const SERVER_DEFAULTS: Readonly<Record<string, string>> = {
  apiGroup: '"rbac.authorization.k8s.io"',
  failurePolicy: '"Fail"',
  matchPolicy: '"Equivalent"',
  namespaceSelector: '{}',
  objectSelector: '{}',
  scope: '"*"',
};

/** Fields that are ours whole: an addition by somebody else is drift as well. */
const OWNED = ['spec', 'rules', 'roleRef', 'subjects'] as const;

export function hasDrifted(live: RenderedObject, desired: Manifest): boolean {
  const { labels, annotations = {}, ownerReferences } = desired.metadata;
  return (
    OWNED.some((field) => canonical(live[field]) !== canonical(desired[field])) ||
    Object.entries(labels).some(([key, value]) => live.metadata.labels?.[key] !== value) ||
    Object.entries(annotations).some(([key, value]) => live.metadata.annotations?.[key] !== value) ||
    !ownerReferences.every((owner) => (live.metadata.ownerReferences ?? []).some((one) => sameOwner(one, owner)))
  );
}

function sameOwner(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b);
}

/** JSON with sorted keys, without what the API server would fill in by itself. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'undefined';
  const entries = Object.entries(value)
    .map(([key, item]) => [key, canonical(item)] as const)
    .filter(([key, text]) => text !== SERVER_DEFAULTS[key] && text !== 'undefined')
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, text]) => `${JSON.stringify(key)}:${text}`).join(',')}}`;
}
