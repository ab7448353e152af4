/** Makes the garbage collector run now, for tests of what must not be kept. */
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const ROUNDS = 100;

/**
 * Resolves when all unreferenced objects are collected and registries have been notified, as `seen` shows, or after
 * many rounds: the engine decides when it notifies them.
 */
export async function collectGarbage(seen: () => boolean): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  for (let round = 0; round < ROUNDS && !seen(); round++) {
    collect();
    // A WeakRef's target is kept until the job is over.
    await sleep(5);
  }
}
