/** Tests the snapshot of a large cluster. */
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { differenceOf } from '../../analysis/snapshot/difference.ts';
import { LiveSnapshot } from '../../cli/commands/ui/live-snapshot.ts';
import { runToEnd } from '../../operator/policy/run-to-end.ts';
import { largeCluster } from '../support/large-cluster.ts';
import { ALL_RIGHTS } from '../support/snapshots.ts';

const OPTIONS = { operatorNamespace: 'operator', excludedNamespaces: ['kube-*'], context: 'test' };
const MB = 1_000_000;

describe('a snapshot of a large cluster', () => {
  it('the snapshot of 100,000 pods of 60 shapes has less than 5 MB compressed, and the change of a pod has some kilobytes', () => {
    const large = largeCluster();
    const live = new LiveSnapshot(large, ALL_RIGHTS, OPTIONS);
    const snapshot = runToEnd(live.taking());
    const pods = snapshot.namespaces.flatMap((one) => one.pods.map(({ count }) => count));
    assert.equal(
      pods.reduce((sum, count) => sum + count, 0),
      100_000,
    );
    const size = gzipSync(JSON.stringify(snapshot)).length;
    assert.ok(size < 5 * MB, `${size} bytes`);
    const [first] = large.namespaces();
    assert.ok(first);
    live.apply({ of: 'pod', namespace: first.name, name: 'any' });
    const next = runToEnd(live.taking());
    // The second snapshot replaces only the description of the namespace with the changed pod.
    assert.deepEqual(
      next.namespaces.filter((one, index) => one !== snapshot.namespaces[index]).map(({ name }) => name),
      [first.name],
    );
    assert.equal(differenceOf(snapshot, next), undefined);
    const others = next.namespaces.map((one) => (one.name === first.name ? { ...one, terminating: true } : one));
    const difference = JSON.stringify(differenceOf(snapshot, { ...next, namespaces: others }));
    assert.ok(difference.length < 20_000, `${difference.length} characters`);
  });
});
