import assert from 'node:assert/strict';
import { soak } from './soak.ts';

/** The seed, which determines the actions. The times of the actions depend on the machine. SEED=… sets another seed. */
const SEED = Number(process.env.SEED ?? 42);

describe('a cluster that changes while everything fails', () => {
  it('a settled cluster equals the work of a fresh operator, and never admits more than its policies', async function () {
    this.timeout(400_000);
    const { failures, summary } = await soak({
      seed: SEED,
      durationMs: 30_000,
      leastRounds: 2,
      roundMs: 10_000,
      disturbancesOfRound: 3,
      silenceMs: 6_000,
      namespaces: 4,
      policies: 3,
      say: (line) => console.log(`      ${line}`),
    });
    console.log(`      ${summary}`);
    if (failures.length > 0) assert.fail(`seed ${SEED}: ${failures.join('\n')}`);
  });
});
