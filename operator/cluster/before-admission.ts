/** Tells fields that an API server filled in from fields that webhooks or mutating policies added. */
import { arrayOf, objectOf, type RawObject } from '../model/raw.ts';

/**
 * The created object without the fields that admission added. An API server records the managed fields of a new object
 * after defaulting and before mutating admission (createHandler in k8s.io/apiserver/pkg/endpoints/handlers/create.go).
 * A field that admission only changed is kept, with the changed value.
 *
 * @param created the answer to a request that creates an object
 */
export function beforeAdmission(created: RawObject): RawObject {
  const fields = arrayOf(objectOf(created.metadata).managedFields).map((one) => objectOf(objectOf(one).fieldsV1));
  return owned(created, fields) as RawObject;
}

type Fields = Readonly<Record<string, unknown>>;

function owned(value: unknown, fields: readonly Fields[]): unknown {
  const keys = [...new Set(fields.flatMap((one) => Object.keys(one)))].filter((key) => key !== '.');
  // An object without managed fields was empty, and admission may have added fields. Other values are owned as a whole.
  if (keys.length === 0) return typeof value === 'object' && !Array.isArray(value) ? {} : value;
  const below = (key: string) => fields.flatMap((one) => (key in one ? [objectOf(one[key])] : []));
  if (Array.isArray(value)) {
    return value.flatMap((item) => {
      const key = keys.find((one) => isItem(one, item));
      return key === undefined ? [] : [owned(item, below(key))];
    });
  }
  const entries = Object.entries(objectOf(value)).filter(([field]) => keys.includes(`f:${field}`));
  return Object.fromEntries(entries.map(([field, one]) => [field, owned(one, below(`f:${field}`))]));
}

/** Whether the key of a list, such as `k:{"name":"app"}`, names the item (sigs.k8s.io/structured-merge-diff). */
function isItem(key: string, item: unknown): boolean {
  if (key.startsWith('v:')) return key === `v:${JSON.stringify(item)}`;
  if (!key.startsWith('k:')) return false;
  return Object.entries(objectOf(JSON.parse(key.slice(2)))).every(([field, one]) => objectOf(item)[field] === one);
}
