/** Decodes the API server's JSON. */

/**
 * Matches the field `managedFields`. `managedFields` is a list of objects that contain objects and strings, but no
 * further list. The regular expression includes the quotes around the key `managedFields`. Quotes in strings are
 * escaped, so the expression never matches inside a string. JSON that does not match is left unchanged.
 */
const MANAGED_FIELDS = /"managedFields":\[[^"[\]]*(?:"[^"\\]*(?:\\.[^"\\]*)*"[^"[\]]*)*\]/g;

/**
 * @param managedFields whether to keep managed fields. Managed fields are half of a pod's JSON. Most of the objects
 * that decoding creates belong to managed fields
 * @throws SyntaxError
 */
export function decode(text: string, managedFields: boolean): unknown {
  return JSON.parse(managedFields ? text : text.replace(MANAGED_FIELDS, '"managedFields":[]'));
}
