/**
 * Writes the changes of an object as a patch. The patch is a strategic merge patch for the built-in kinds of
 * Kubernetes, and a JSON Patch for other kinds.
 */
import { isDeepStrictEqual } from 'node:util';
import { arrayOf, objectOf, valueAt } from '../../operator/model/raw.ts';
import type { FieldPath } from '../schema/paths.ts';
import { isObject } from '../schema/problems.ts';
import { changed } from './changed-fields.ts';
import type { ChangedObject, FieldChange } from './repairs.ts';

/**
 * The lists that a strategic merge patch merges by a key (k8s.io/api, patchMergeKey). A strategic merge patch replaces
 * all other lists. A patch names all entries of a merged list in their order, because kustomize moves the entries of a
 * patch to the front.
 */
const MERGE_KEYS: Readonly<Record<string, string>> = {
  containers: 'name',
  initContainers: 'name',
  ephemeralContainers: 'name',
  volumeMounts: 'mountPath',
};

/** A strategic merge patch with the object's names and the changed fields. The value null removes a field. */
export function mergePatch({ object, changes }: ChangedObject): object {
  const { apiVersion, kind, metadata } = object;
  const { name, namespace } = metadata ?? {};
  const after = changes.reduce<unknown>(withField, object);
  const { metadata: ofMetadata, ...rest } = objectOf(difference(object, after));
  return { apiVersion, kind, metadata: { name, ...(namespace && { namespace }), ...objectOf(ofMetadata) }, ...rest };
}

/** A JSON Patch (RFC 6902). */
export function jsonPatch({ object, changes }: ChangedObject): object[] {
  const operations: object[] = [];
  let now: unknown = object;
  for (const change of changes) {
    const { path, value } = change;
    const exists = valueAt(now, path) !== undefined;
    // If parents of the field are missing, one `add` operation adds the outermost missing parent with its whole
    // content.
    const depth = path.findIndex((_, index) => valueAt(now, path.slice(0, index + 1)) === undefined);
    const at = exists || depth === -1 ? path : path.slice(0, depth + 1);
    now = withField(now, change);
    if (value !== undefined)
      operations.push({ op: exists ? 'replace' : 'add', path: pointer(at), value: valueAt(now, at) });
    else if (exists) operations.push({ op: 'remove', path: pointer(path) });
  }
  return operations;
}

function pointer(path: FieldPath): string {
  return path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function withField(whole: unknown, { path, value }: FieldChange): unknown {
  return changed(whole, path.slice(0, -1), path.slice(-1), value);
}

/** The fields that have another value in `after`; undefined if all fields are equal. */
function difference(before: unknown, after: unknown, key = ''): unknown {
  if (isDeepStrictEqual(before, after)) return undefined;
  const mergeKey = MERGE_KEYS[key];
  if (Array.isArray(after) && mergeKey !== undefined) {
    return after.map((item, index) => ({
      [mergeKey]: objectOf(item)[mergeKey],
      ...objectOf(difference(arrayOf(before)[index], item)),
    }));
  }
  if (!isObject(before) || !isObject(after)) return after;
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const fields = keys.flatMap((name) => {
    if (!Object.hasOwn(after, name)) return [[name, null]];
    const part = difference(before[name], after[name], name);
    return part === undefined ? [] : [[name, part]];
  });
  return Object.fromEntries(fields);
}
