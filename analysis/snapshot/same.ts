/**
 * Whether two values are the same JSON. The comparison is fast, because two unchanged values are mostly the same
 * object.
 */
export function isSame(a: object | undefined, b: object | undefined): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
