/** JSON of the API server → objects. */

/**
 * A list of objects of objects: strings, and no further list inside. As text, a key is told from what looks like one in
 * a string by its quotes: those in strings are escaped. What does not match exactly is left as it is.
 */
const MANAGED_FIELDS = /"managedFields":\[[^"[\]]*(?:"[^"\\]*(?:\\.[^"\\]*)*"[^"[\]]*)*\]/g;

/**
 * @param managedFields whether they are wanted: half of a pod's text, and by far the most objects when decoded
 * @throws SyntaxError
 */
export function decode(text: string, managedFields: boolean): unknown {
  return JSON.parse(managedFields ? text : text.replace(MANAGED_FIELDS, '"managedFields":[]'));
}
