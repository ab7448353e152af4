/**
 * The number of keys from which an object becomes a Map. In each call with an object as an argument, cel-js enumerates
 * the object's keys, which takes 400 ms for 80,000 keys. cel-js does not enumerate the keys of a Map.
 */
const MANY_KEYS = 32;

/**
 * Converts a value of a manifest to the value of cel-js that is equal in CEL. Whole numbers become bigints, as in the API
 * server. An object with a field `constructor` becomes a Map, because cel-js takes the field of an object for the
 * object's class.
 */
export function celValue(value: unknown): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(celValue);
  const entries = Object.entries(value).map(([key, part]) => [key, celValue(part)] as const);
  const isMap = entries.length >= MANY_KEYS || Object.hasOwn(value, 'constructor');
  return isMap ? new Map(entries) : Object.fromEntries(entries);
}
