import { setTimeout as sleep } from 'node:timers/promises';

interface WaitOptions {
  /** The time in ms after which waiting fails. The default is 60,000, because the machine may be busy. */
  readonly timeoutMs?: number;
  /** The time in ms between two calls of `look`. The default is 100. */
  readonly intervalMs?: number;
}

/**
 * Calls `look` until the result is neither undefined nor false.
 *
 * @returns this result
 *
 * @param what the name of the thing to wait for. The timeout message is "timed out after 60 s waiting for <what>"
 * @throws the first error of `look`, or an error after the timeout
 */
export async function waitFor<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  { timeoutMs = 60_000, intervalMs = 100 }: WaitOptions = {},
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) {
      return found;
    }
    if (Date.now() > deadline) {
      throw new Error(`timed out after ${Math.round(timeoutMs / 1000)} s waiting for ${what}`);
    }
    await sleep(intervalMs);
  }
}
