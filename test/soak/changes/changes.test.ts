import assert from 'node:assert/strict';
import { SEED } from '../../support/seed.ts';
import { changes } from './changes.ts';

/** The seed, which determines the actions. The times of the actions depend on the machine. SEED=… sets another seed. */
const SHOWN = 5;

describe('the law of changes: if the old and the new state agree on a pod, the API server gives the same verdict', function () {
  this.timeout(600_000);

  it('the law holds while policies come, change, expire and go, and while the operator and the API server are killed', async () => {
    await holds({ changes: 5, file: 0, namespaces: 5, policies: 5, kills: true });
  });

  it('the law holds while a policy for all namespaces and its exceptions are applied in a random order', async () => {
    await holds({ changes: 0, file: 8, namespaces: 6, policies: 0, kills: false });
  });
});

async function holds(options: Omit<Parameters<typeof changes>[0], 'seed' | 'say'>): Promise<void> {
  const lines: string[] = [];
  const { counts, kills, wrong } = await changes({ ...options, seed: SEED, say: (line) => lines.push(line) });
  console.log(`      seed ${SEED}: ${JSON.stringify(counts)}, kills ${JSON.stringify(kills)}`);
  const about = `seed ${SEED}: ${wrong.length} wrong verdicts of ${JSON.stringify(counts)}\n${lines.join('\n')}`;
  assert.deepEqual(
    wrong.slice(0, SHOWN).map(({ text }) => text),
    [],
    about,
  );
  assert.ok(counts.admitted > 0 && counts.refused > 0, `${about}: too few pods`);
}
