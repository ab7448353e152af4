/** Kubernetes objects as the API server sends them, before their contents are validated. */

export interface RawMetadata {
  readonly name?: string | null;
  readonly namespace?: string | null;
  readonly uid?: string | null;
  readonly resourceVersion?: string | null;
  readonly labels?: Readonly<Record<string, string>> | null;
  readonly annotations?: Readonly<Record<string, string>> | null;
  readonly ownerReferences?: readonly RawOwnerReference[] | null;
  readonly managedFields?: readonly RawManagedFields[] | null;
  readonly creationTimestamp?: unknown;
  readonly deletionTimestamp?: string | null;
  readonly finalizers?: readonly string[] | null;
}

interface RawOwnerReference {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly uid?: string;
  readonly controller?: boolean | null;
}

interface RawManagedFields {
  readonly manager?: string;
  readonly operation?: string;
  readonly subresource?: string;
  readonly fieldsV1?: unknown;
}

export interface RawObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: RawMetadata | null;
  readonly [field: string]: unknown;
}

/** One page of a list; its items lack `apiVersion` and `kind` unless they are custom resources. */
export interface RawPage {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: readonly RawObject[] | null;
}

/** The namespace of a cluster-scoped object is `''`. */
export function keyOf({ metadata }: RawObject): [namespace: string, name: string] {
  return [metadata?.namespace ?? '', metadata?.name ?? ''];
}

/**
 * A number to compare two versions of a resource by: the later one is greater (KEP-5504). 0 for an object that was never
 * read.
 */
export function versionOf({ metadata }: { readonly metadata?: Pick<RawMetadata, 'resourceVersion'> | null }): bigint {
  return BigInt(metadata?.resourceVersion ?? 0);
}

/** `value` if it is a JSON object; otherwise an empty object. So absent, null and malformed parts all read as empty. */
export function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

/** The value at a path of keys and indices; undefined if there is none. */
export function valueAt(value: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce((part, step) => (part as Record<string | number, unknown> | null | undefined)?.[step], value);
}

/** `value` if it is a JSON array; otherwise an empty array. */
export function arrayOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The entries of `value` that are strings: labels, annotations. */
export function textsIn(value: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(objectOf(value)).filter((entry): entry is [string, string] => isText(entry[1])),
  );
}

export function isText(value: unknown): value is string {
  return typeof value === 'string';
}

/** The same value without nulls: in Kubernetes a null means that the field is absent. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((item) => item !== null).map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  const source = value as Readonly<Record<string, unknown>>;
  const present: Record<string, unknown> = {};
  for (const key of Object.keys(source)) {
    const part = source[key];
    if (part !== null && part !== undefined) setOwn(present, key, withoutNulls(part));
  }
  return present;
}

/** Several times as fast as Object.fromEntries and equally safe: a manifest may have a field `__proto__`. */
function setOwn(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') object[key] = value;
  else Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}
