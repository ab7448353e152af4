/**
 * The seed of all random tests of a process. `SEED=…` in the environment repeats the random tests of another run. The
 * script .ci/run sets `COMMIT_SEED` from the commit. Two runs of .ci/run on one commit therefore make the same random
 * tests, and another commit gets other random tests.
 *
 * mocha loads this file before the tests, because .mocharc.json requires this file. Some tests give fast-check no seed.
 * For these tests, fast-check uses the seed of this file.
 */
import fc from 'fast-check';

const BELOW = 1_000_000;
const given = process.env.SEED ?? process.env.COMMIT_SEED;

export const SEED = given === undefined ? Date.now() % BELOW : seedFrom(given);

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: SEED });

function seedFrom(text: string): number {
  const seed = Number(text);
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new Error(
      `SEED must be a whole number that is at least 0, for example SEED=42, and not ${JSON.stringify(text)}`,
    );
  }
  return seed;
}
