/** Kubernetes objects in the form in which the API server sends them. Their contents are not validated yet. */

export interface RawMetadata {
  readonly name?: string | null;
  readonly namespace?: string | null;
  readonly uid?: string | null;
  readonly resourceVersion?: string | null;
  readonly generation?: number | null;
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

/**
 * One page of a list. On a list page, custom resources have `apiVersion` and `kind`. All other items have neither of
 * these fields.
 */
export interface RawPage {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: readonly RawObject[] | null;
}

/** The namespace and the name of an object. The namespace of a cluster-scoped object is `''`. */
export function keyOf({ metadata }: RawObject): [namespace: string, name: string] {
  return [metadata?.namespace ?? '', metadata?.name ?? ''];
}

/**
 * The resourceVersion of an object as a number. A later resourceVersion is a greater number (KEP-5504). An object
 * without a resourceVersion has the number 0.
 */
export function versionOf({ metadata }: { readonly metadata?: Pick<RawMetadata, 'resourceVersion'> | null }): bigint {
  return BigInt(metadata?.resourceVersion ?? 0);
}

/**
 * Returns `value` if it is a JSON object. For any other value, the result is an empty object. Absent, null and
 * malformed values count as an empty object.
 */
export function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

/** Returns the value at a path of keys and indices. If the path leads to no value, the result is undefined. */
export function valueAt(value: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce((part, step) => (part as Record<string | number, unknown> | null | undefined)?.[step], value);
}

/** Returns `value` if it is a JSON array. For any other value, the result is an empty array. */
export function arrayOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Returns the entries of `value` whose values are strings. Callers read labels and annotations with this function. */
export function textsIn(value: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(objectOf(value)).filter((entry): entry is [string, string] => isText(entry[1])),
  );
}

/** The conditions in the object's status whose status is True. */
export function trueConditions({ status }: RawObject): Readonly<Record<string, unknown>>[] {
  return arrayOf(objectOf(status).conditions)
    .map(objectOf)
    .filter((condition) => condition.status === 'True');
}

export function isText(value: unknown): value is string {
  return typeof value === 'string';
}

/** Returns a copy of the value without nulls. In Kubernetes, a null means that the field is absent. */
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

/**
 * Sets a field of an object. The function works even for a field with the name `__proto__`, which a manifest may have.
 * Setting fields one by one is several times faster than Object.fromEntries.
 */
function setOwn(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') object[key] = value;
  else Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}
