/**
 * Whether two values are equal as JSON. The comparison is fast, because the two values are mostly the same object if
 * the value did not change.
 */
export function isSame(a: object | undefined, b: object | undefined): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
