/** Decodes the API server's JSON. */

/**
 * Matches the field `managedFields`: a list of objects that contain objects and strings, but no further list. The
 * expression includes the quotes of the key. Quotes in strings are escaped, so the expression never matches inside a
 * string. A part of the JSON that does not match exactly is left unchanged.
 */
const MANAGED_FIELDS = /"managedFields":\[[^"[\]]*(?:"[^"\\]*(?:\\.[^"\\]*)*"[^"[\]]*)*\]/g;

/**
 * @param managedFields whether to keep managed fields, which are half of a pod's JSON and most of its decoded objects
 * @throws SyntaxError
 */
export function decode(text: string, managedFields: boolean): unknown {
  return JSON.parse(managedFields ? text : text.replace(MANAGED_FIELDS, '"managedFields":[]'));
}
