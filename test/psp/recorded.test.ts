/**
 * Compares the recorded verdicts of Kubernetes 1.24 with the operator's verdicts, without any API server. `npm run
 * test:psp` compares the recorded verdicts with the verdicts of a current API server.
 */
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { EMPTY_GROUPS, migrated } from './migrated.ts';
import type { PodSecurityPolicy, PspSet } from './objects.ts';
import { type RecordedPod, type RecordedSet, readRecorded } from './recorded.ts';
import { replayed } from './replay.ts';
import { securityOf } from './security.ts';

describe('migrated PodSecurityPolicies', () => {
  const sets = readRecorded();

  it('migrated policies admit, refuse and fill recorded pods as Kubernetes 1.24 did', () => {
    for (const { set, pods } of sets) {
      const becomes = replayed(set);
      for (const recorded of pods) {
        assert.deepEqual(becomes(recorded), recorded.becomes, JSON.stringify({ set, recorded }, undefined, 1));
      }
    }
  });

  it('a note warns if pods that write `supplementalGroups: []` get another verdict than before', () => {
    let differing = 0;
    for (const { set, pods } of sets) {
      const { notes } = migrated(set);
      const [before, becomes] = [replayed(withoutRefusingEmptyGroups(set)), replayed(set)];
      for (const recorded of pods) {
        const pod = withoutGroups(recorded);
        if (isDeepStrictEqual(becomes(pod), before(pod))) continue;
        differing += 1;
        const noted = notes.filter(({ text }) => text.includes(EMPTY_GROUPS));
        const names = set.policies
          .filter(refusesEmptyGroups)
          .map(({ metadata: { name } }) => `PodSecurityPolicy/${name}`);
        assert.deepEqual(noted.map(({ object }) => object).sort(), names.sort());
      }
    }
    assert.ok(differing >= 20, `${differing} of them`);
  });

  /** The kinds of recorded pods, with the minimum number of pods of each kind. */
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

/**
 * Whether the policy refused a pod with an empty list of groups. MustRunAs refused a pod with an empty list
 * (k8s.io/kubernetes@v1.24.17 pkg/security/podsecuritypolicy/group/mustrunas.go).
 */
function refusesEmptyGroups({ spec }: PodSecurityPolicy): boolean {
  return spec.supplementalGroups.rule === 'MustRunAs';
}

function withoutRefusingEmptyGroups(set: PspSet): PspSet {
  return { ...set, policies: set.policies.filter((policy) => !refusesEmptyGroups(policy)) };
}

/** The pod without the empty list of groups. Today, admission policies get the pod without the empty list. */
function withoutGroups(recorded: RecordedPod): RecordedPod {
  const pod = structuredClone(recorded.pod);
  delete pod.spec.securityContext?.supplementalGroups;
  return { ...recorded, pod };
}
