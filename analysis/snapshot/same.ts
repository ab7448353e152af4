/**
 * Whether two values are equal as JSON. The comparison is fast, because a value that did not change is mostly the same
 * object.
 */
export function isSame(a: object | undefined, b: object | undefined): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
