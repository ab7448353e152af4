/**
 * Replaces the functions of `node:timers/promises` that the page needs, because browsers do not have the module.
 */
export function setTimeout<Value>(ms: number, value?: Value): Promise<Value | undefined> {
  return new Promise((resolve) => {
    globalThis.setTimeout(() => resolve(value), ms);
  });
}
