import assert from 'node:assert/strict';
import fc from 'fast-check';
import { differenceOf, withDifference } from '../../analysis/snapshot/difference.ts';
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import { snapshotOf } from '../../cli/commands/snapshot/run.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import { ALL_RIGHTS } from '../support/snapshots.ts';
import { arbitraryCluster } from './clusters.ts';

const OPTIONS = { operatorNamespace: 'operator', excludedNamespaces: ['kube-*'], context: 'test' };
const evaluator = new Evaluator();

function sent<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value));
}

/** Snapshots of random clusters. Some snapshots have additional fields, and some snapshots lack lists. */
const arbitrarySnapshot = fc
  .tuple(
    arbitraryCluster,
    fc.integer({ min: 0, max: 2 }),
    fc.subarray(['roles', 'roleBindings', 'namespaces'] as const),
  )
  .map(([cluster, at, emptied]): Snapshot => {
    const missing = at === 2 ? ['you may not list pods'] : [];
    const taken = snapshotOf(cluster, { ...ALL_RIGHTS, missing, usersKnown: at !== 1 }, { ...OPTIONS, at }, evaluator);
    return sent({ ...taken, ...Object.fromEntries(emptied.map((list) => [list, []])) });
  });

describe('the difference of two snapshots', () => {
  it('turns the first into the second', () => {
    fc.assert(
      fc.property(arbitrarySnapshot, arbitrarySnapshot, (before, after) => {
        const difference = differenceOf(before, after);
        if (difference) assert.deepEqual(withDifference(before, sent(difference)), after);
        else assert.deepEqual({ ...before, taken: after.taken }, after);
      }),
      { numRuns: 200 },
    );
  });

  it('the difference is empty if only the time has changed', () => {
    fc.assert(
      fc.property(arbitrarySnapshot, (snapshot) => {
        assert.equal(differenceOf(snapshot, { ...sent(snapshot), taken: '2026-01-01T00:00:00.000Z' }), undefined);
      }),
      { numRuns: 20 },
    );
  });

  it('the difference has only the changed namespace, and keeps the objects of the other namespaces', () => {
    const [before] = fc.sample(arbitrarySnapshot, { numRuns: 50, seed: 3 }).filter((one) => one.namespaces.length > 1);
    assert.ok(before);
    const namespaces = before.namespaces.map((one, index) => (index === 0 ? { ...one, terminating: true } : one));
    const difference = differenceOf(before, { ...before, namespaces });
    assert.deepEqual(Object.keys(difference ?? {}), ['fields', 'namespaces']);
    assert.deepEqual(difference?.namespaces, { put: [namespaces[0]], gone: [] });
    const after = withDifference(before, sent(difference as NonNullable<typeof difference>));
    assert.equal(after.namespaces[1], before.namespaces[1]);
    assert.equal(after.shapes, before.shapes);
  });
});
