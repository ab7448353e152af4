/** Runs the garbage collector at once, for tests of objects that must not stay in memory. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const ROUNDS = 100;

/** @returns the number of bytes that the result of `make` takes on the heap */
export async function heapOf(make: () => unknown): Promise<number> {
  const before = await heapUsed();
  const made = make();
  const after = await heapUsed();
  // This assertion keeps the result alive until the function has measured the result.
  assert.notEqual(made, undefined);
  return after - before;
}

/** The number of bytes on the heap that are still in use. */
export async function heapUsed(): Promise<number> {
  await collectGarbage(() => false, 3);
  return process.memoryUsage().heapUsed;
}

/**
 * Collects garbage until `seen` returns true. When the function returns, all unreferenced objects are collected, and
 * their registries are notified. The engine decides when to notify registries. The function therefore gives up after
 * many rounds.
 */
export async function collectGarbage(seen: () => boolean, rounds = ROUNDS): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  for (let round = 0; round < rounds && !seen(); round++) {
    collect();
    // The engine keeps the target of a WeakRef until the current job has ended.
    await sleep(5);
  }
}
