/** Replaces `node:timers/promises` in the browser, as far as the page's code needs it. */
export function setTimeout<Value>(ms: number, value?: Value): Promise<Value | undefined> {
  return new Promise((resolve) => {
    globalThis.setTimeout(() => resolve(value), ms);
  });
}
