/** Runs the garbage collector at once, for tests of objects that must not be kept. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const ROUNDS = 100;

/** @returns the bytes that `make` adds to the heap, while its result is in use */
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
 * Collects garbage until `seen` returns true: all unreferenced objects are collected, and their registries notified.
 * The engine decides when it notifies registries, so the function gives up after many rounds.
 */
export async function collectGarbage(seen: () => boolean, rounds = ROUNDS): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  for (let round = 0; round < rounds && !seen(); round++) {
    collect();
    // The engine keeps the target of a WeakRef until the current job is over.
    await sleep(5);
  }
}
