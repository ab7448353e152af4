/** Tests the size of the snapshot of a large cluster, because a page has to load the snapshot. */
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { LARGE } from '../support/large-cluster.ts';
import { largeSnapshot } from '../support/settled-snapshot.ts';

const MOST_BYTES = 5_000_000;

describe('the snapshot of a large cluster', () => {
  it(`has less than ${MOST_BYTES / 1e6} MB compressed with ${LARGE.pods} pods`, function () {
    // Compiling, evaluating and describing the cluster takes about 6 s of CPU time.
    this.timeout(180_000);
    const snapshot = largeSnapshot();
    const groups = snapshot.namespaces.flatMap(({ pods }) => pods);
    const podShapes = new Set(groups.map(({ shape }) => shape));
    assert.equal(
      groups.reduce((sum, { count }) => sum + count, 0),
      LARGE.pods,
    );
    assert.equal(podShapes.size, LARGE.shapes);
    assert.deepEqual([snapshot.namespaces.length, snapshot.policies.length], [LARGE.namespaces, LARGE.policies]);
    const compressed = gzipSync(JSON.stringify(snapshot)).length;
    assert.ok(compressed < MOST_BYTES, `${compressed} bytes`);
    console.log(`      ${LARGE.pods} pods: ${(compressed / 1e6).toFixed(2)} MB compressed`);
  });
});
