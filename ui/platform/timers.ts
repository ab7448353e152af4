/**
 * Replaces the functions of `node:timers/promises` that the page's code needs, because the browser does not have this
 * module.
 */
export function setTimeout<Value>(ms: number, value?: Value): Promise<Value | undefined> {
  return new Promise((resolve) => {
    globalThis.setTimeout(() => resolve(value), ms);
  });
}
