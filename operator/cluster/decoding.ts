/** The API server's JSON → objects. */

/**
 * A list of objects of objects: strings, and no further list inside. In the text, the quotes tell a key from similar
 * text in a string: quotes in strings are escaped. Text that does not match exactly is left unchanged.
 */
const MANAGED_FIELDS = /"managedFields":\[[^"[\]]*(?:"[^"\\]*(?:\\.[^"\\]*)*"[^"[\]]*)*\]/g;

/**
 * @param managedFields whether to keep them: they are half of a pod's text, and by far the most objects when decoded
 * @throws SyntaxError
 */
export function decode(text: string, managedFields: boolean): unknown {
  return JSON.parse(managedFields ? text : text.replace(MANAGED_FIELDS, '"managedFields":[]'));
}
