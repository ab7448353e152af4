/** Waits a limited time for an event, because the event may never come. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Whether `event` comes within `ms` milliseconds. If the signal is aborted first, the function returns false. */
export async function within(ms: number, event: Promise<void>, signal: AbortSignal): Promise<boolean> {
  const over = new AbortController();
  const options = { signal: AbortSignal.any([signal, over.signal]), ref: false };
  const time = sleep(ms, false, options).catch(() => false);
  const came = await Promise.race([event.then(() => true), time]);
  over.abort();
  return came;
}
