/** `npm run test:psp -- --record` rewrites the record. */
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { type RecordedPod, type RecordedSet, readRecorded } from './recording.ts';
import { replayed } from './replay.ts';
import { securityOf } from './security.ts';

describe('migrated PodSecurityPolicies', () => {
  const sets = readRecorded();

  it('admit, refuse and fill recorded pods as Kubernetes 1.24 did', () => {
    for (const { set, pods } of sets) {
      const becomes = replayed(set);
      for (const recorded of pods) {
        assert.deepEqual(becomes(recorded), recorded.becomes, JSON.stringify({ set, recorded }, undefined, 1));
      }
    }
  });

  /** The recorded kind → its minimum number. */
  const RECORDED: Readonly<
    Record<string, readonly [least: number, is: (pod: RecordedPod, of: RecordedSet) => boolean]>
  > = {
    'pods that were refused': [100, ({ becomes }) => becomes === undefined],
    'pods that were admitted as they are': [50, (pod) => isDeepStrictEqual(pod.becomes, securityOf(pod.pod))],
    'pods that were filled': [
      50,
      ({ pod, becomes }) => becomes !== undefined && !isDeepStrictEqual(becomes, securityOf(pod)),
    ],
    'pods before several policies': [50, (_, { set }) => set.policies.length > 1],
  };
  for (const [what, [least, is]] of Object.entries(RECORDED)) {
    it(`were recorded with ${what}`, () => {
      const count = sets.flatMap((one) => one.pods.filter((pod) => is(pod, one))).length;
      assert.ok(count >= least, `${count} of them`);
    });
  }
});
