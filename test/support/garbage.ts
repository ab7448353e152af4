/** Makes the garbage collector run now, for tests of what must not be kept. */
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const ROUNDS = 100;

/**
 * Resolves when all that nobody holds is gone and registries have been told, as `seen` shows, or after many rounds: when
 * they are told is the engine's affair.
 */
export async function collectGarbage(seen: () => boolean): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  for (let round = 0; round < ROUNDS && !seen(); round++) {
    collect();
    // What a WeakRef led to is held until the job is over.
    await sleep(5);
  }
}
