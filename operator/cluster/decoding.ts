/** The API server's JSON → objects. */

/**
 * Matches a list of objects of objects with strings but no further list. In the text, the quotes distinguish a key from
 * similar text in a string, because quotes in strings are escaped. Text that does not match exactly is left unchanged.
 */
const MANAGED_FIELDS = /"managedFields":\[[^"[\]]*(?:"[^"\\]*(?:\\.[^"\\]*)*"[^"[\]]*)*\]/g;

/**
 * @param managedFields whether to keep them: they are half of a pod's text, and most of its objects when decoded @throws
 * SyntaxError
 */
export function decode(text: string, managedFields: boolean): unknown {
  return JSON.parse(managedFields ? text : text.replace(MANAGED_FIELDS, '"managedFields":[]'));
}
