/** `npm run test:psp -- --record` rewrites the record. */
import assert from 'node:assert/strict';
import { readRecorded } from './recording.ts';
import { replayed } from './replay.ts';

describe('migrated PodSecurityPolicies', () => {
  it('admit, refuse and fill recorded pods as Kubernetes 1.24 did', () => {
    const sets = readRecorded();
    for (const { set, pods } of sets) {
      const becomes = replayed(set);
      for (const recorded of pods) {
        assert.deepEqual(becomes(recorded), recorded.becomes, JSON.stringify({ set, recorded }, undefined, 1));
      }
    }
    assert.ok(sets.flatMap(({ pods }) => pods).length >= 300);
  });
});
