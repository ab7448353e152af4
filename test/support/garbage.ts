/** Makes the garbage collector run now, for tests of what must not be kept. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const ROUNDS = 100;

/** @returns the bytes of heap that `make` adds, while its result is in use */
export async function heapOf(make: () => unknown): Promise<number> {
  const used = async () => {
    await collectGarbage(() => false, 3);
    return process.memoryUsage().heapUsed;
  };
  const before = await used();
  const made = make();
  const after = await used();
  // Keeps the result in use; otherwise it could be collected before it is measured.
  assert.notEqual(made, undefined);
  return after - before;
}

/**
 * Resolves when all unreferenced objects are collected and registries have been notified, as `seen` shows, or after
 * many rounds: the engine decides when it notifies them.
 */
export async function collectGarbage(seen: () => boolean, rounds = ROUNDS): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  for (let round = 0; round < rounds && !seen(); round++) {
    collect();
    // A WeakRef's target is kept until the job is over.
    await sleep(5);
  }
}
