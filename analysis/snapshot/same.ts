/** Whether two values are the same JSON. An unchanged object is mostly the same object, which makes this fast. */
export function isSame(a: object | undefined, b: object | undefined): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
