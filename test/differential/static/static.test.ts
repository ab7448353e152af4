import assert from 'node:assert/strict';
import { describeIfOffered } from '../../support/needs.ts';
import { SEED } from '../../support/seed.ts';
import { type Comparison, compareStatic } from './compare.ts';

/** The long form is `npm run test:differential -- --part static --runs 2000`. */
const PODS = 120;

describeIfOffered('staticAdmissionPolicies', 'policies in files of the API server', function () {
  this.timeout(600_000);
  let compared: Comparison;

  before(async () => {
    console.log(`      seed ${SEED}`);
    compared = await compareStatic(PODS, SEED);
  });

  it('policies in files evaluate, warn and fill like the same policies as objects of the API', () => {
    const { differences, refused, warned, filled, pods } = compared;
    if (differences.length > 0)
      assert.fail(`${differences.length} of ${pods}:\n${differences.slice(0, 3).join('\n\n')}`);
    assert.ok(refused > 0 && refused < pods && warned > 0 && filled > 0, JSON.stringify({ refused, warned, filled }));
  });

  for (const [start, title] of [
    ['newCluster', 'are in force from the first request that the first API server of a new cluster answers'],
    ['restart', 'are in force from the first request that a restarted API server answers'],
  ] as const) {
    it(title, () => {
      const counts = compared.starts.files[start];
      assert.equal(counts?.admitted, 0);
      assert.ok(counts.refused > 0 && counts.unanswered > 0, JSON.stringify(counts));
    });
  }
});
