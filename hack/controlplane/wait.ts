import { setTimeout as sleep } from 'node:timers/promises';

interface WaitOptions {
  /** The time in ms after which waiting fails; 30,000 by default. */
  readonly timeoutMs?: number;
  /** The time in ms between two looks; 100 by default. */
  readonly intervalMs?: number;
}

/**
 * Calls `look` repeatedly until it returns something other than undefined or false, and returns that value.
 *
 * @param what names the awaited thing, as in "timed out after 30 s waiting for <what>" @throws the error of `look`, at
 * once; or an error when the time is over
 */
export async function waitFor<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  { timeoutMs = 30_000, intervalMs = 100 }: WaitOptions = {},
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
