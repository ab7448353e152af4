/**
 * The seed of all random tests of a process. Without `SEED=…` in the environment, the seed is the same in every run, so
 * `npm test` makes the same random tests each time. Campaigns (test/all.ts) set another seed each time, and print it.
 *
 * mocha loads this file before the tests, because .mocharc.json requires this file. Some tests give fast-check no seed.
 * For these tests, fast-check uses the seed of this file.
 */
import fc from 'fast-check';

const FIXED = '42';

export const SEED = seedFrom(process.env.SEED ?? FIXED);

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: SEED });

/** @throws Error if the text is no seed */
export function seedFrom(text: string): number {
  const seed = Number(text);
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new Error(`the seed must be a whole number that is at least 0, such as SEED=42, not ${JSON.stringify(text)}`);
  }
  return seed;
}
