/** Whether two values are the same JSON. Objects that did not change are mostly one object. */
export function isSame(a: object | undefined, b: object | undefined): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
