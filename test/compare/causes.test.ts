import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Cause } from '../../analysis/compare/causes.ts';
import { compare } from '../../analysis/compare/compare.ts';
import { DEFAULT_LIMIT } from '../../analysis/compare/limits.ts';
import { lateIn } from '../../cli/commands/compare/late-in.ts';
import type { Subject } from '../../operator/api/capability-policy.ts';
import { SEED } from '../support/seed.ts';
import { admits, PAIRS, type Spec, type Specs, setOf } from './sets.ts';

/** The minimum number of random pairs. The test draws more pairs until a comparison names a cause. */
const RUNS = Number(process.env.CAUSES ?? 2);
const MOST_RUNS = 30;
/** A comparison that reaches the limit still shows the differences that it has found. */
const LIMIT = 20_000;
/** A comparison ends after this time. The test examines the differences that the comparison has found by this time. */
const PAIR_MS = RUNS >= 100 ? 600_000 : 3_000;

interface Case {
  readonly title: string;
  readonly old: Specs;
  readonly now: Specs;
  /** For each pod that only the new set admits, the expected causes of the difference. */
  readonly causes: readonly Cause[];
}

const changed = (policy: string, ...fields: string[]): Cause => ({ policy, change: 'Changed', fields });
const WEB: Spec = { namespaceSelector: { matchLabels: { app: 'web' } } };
const [U1, U2] = ['u1', 'u2'].map((name) => ({ kind: 'User' as const, name })) as [Subject, Subject];
const HOST_NETWORK: Spec = { overrides: { hostNetwork: true } };

const CASES: readonly Case[] = [
  {
    title: 'an override',
    old: { a: {} },
    now: { a: HOST_NETWORK },
    causes: [changed('a', 'spec.overrides.hostNetwork')],
  },
  {
    title: 'one of two changed overrides',
    old: { a: { overrides: { hostPID: true } } },
    now: { a: { overrides: { hostNetwork: true, hostPID: true, readOnlyRootFilesystem: true } } },
    causes: [changed('a', 'spec.overrides.hostNetwork')],
  },
  {
    title: 'a new policy',
    old: { a: {} },
    now: { a: {}, b: HOST_NETWORK },
    causes: [{ policy: 'b', change: 'Added', fields: [] }],
  },
  {
    title: 'the end of a policy that refused the pod',
    old: { a: HOST_NETWORK, b: { priority: 1 } },
    now: { a: HOST_NETWORK },
    causes: [{ policy: 'b', change: 'Removed', fields: [] }],
  },
  {
    title: 'a selector',
    old: { a: {}, b: { ...WEB, ...HOST_NETWORK, priority: 1 } },
    now: { a: {}, b: { ...HOST_NETWORK, priority: 1 } },
    causes: [changed('b', 'spec.namespaceSelector')],
  },
  {
    title: 'a priority',
    old: { a: { priority: 1 }, b: HOST_NETWORK },
    now: { a: { priority: 1 }, b: { ...HOST_NETWORK, priority: 2 } },
    causes: [changed('b', 'spec.priority')],
  },
  {
    title: 'a mode',
    old: { a: {}, b: { ...HOST_NETWORK, mode: 'Audit' } },
    now: { a: {}, b: HOST_NETWORK },
    causes: [changed('b', 'spec.mode')],
  },
  {
    title: 'the right to use a policy',
    old: { a: {}, b: { ...HOST_NETWORK, usableBy: 'Bindings' } },
    now: { a: {}, b: HOST_NETWORK },
    causes: [changed('b', 'spec.usableBy')],
  },
  {
    title: 'who may use a policy, but no other changed field',
    old: { a: {}, b: { ...HOST_NETWORK, usableBy: 'Subjects', subjects: [U1] } },
    now: {
      a: {},
      b: {
        overrides: { hostNetwork: true, readOnlyRootFilesystem: true },
        usableBy: 'Subjects',
        subjects: [U1, U2],
      },
    },
    causes: [changed('b', 'spec.subjects')],
  },
  {
    title: 'changes of two policies that are both needed',
    old: { a: { priority: 1 }, b: {} },
    now: { a: { priority: -1 }, b: HOST_NETWORK },
    causes: [changed('a', 'spec.priority'), changed('b', 'spec.overrides.hostNetwork')],
  },
  {
    title: 'no change if two changed policies both admit the pod',
    old: { a: {}, b: {} },
    now: { a: HOST_NETWORK, b: HOST_NETWORK },
    causes: [],
  },
  {
    title: 'two fields that are both needed',
    old: { a: {}, b: { ...WEB, priority: 1 } },
    now: { a: {}, b: { namespaceSelector: { matchLabels: { app: 'api' } }, ...HOST_NETWORK, priority: 1 } },
    causes: [changed('b', 'spec.namespaceSelector', 'spec.overrides.hostNetwork')],
  },
];

describe(`the causes of differences (SEED=${SEED})`, () => {
  for (const { title, old, now, causes } of CASES) {
    it(`name ${title}`, () => {
      const { opens } = compare(setOf(old), setOf(now), { limit: DEFAULT_LIMIT, directions: ['opens'] });
      assert.ok(opens.length > 0);
      for (const difference of opens) assert.deepEqual(difference.causes, causes);
    });
  }

  it('name exactly the policies without whose change the difference would not exist', function () {
    this.timeout(RUNS * 60_000);
    let named = 0;
    for (const [i, [old, now]] of fc.sample(PAIRS, { numRuns: RUNS + MOST_RUNS, seed: SEED }).entries()) {
      if (i >= RUNS && named > 0) break;
      const found = compare(setOf(old), setOf(now), { limit: LIMIT, isLate: lateIn(PAIR_MS) });
      for (const direction of ['opens', 'closes'] as const) {
        for (const { pod, causes } of found[direction]) {
          const isCause = (policy: string) => {
            const { [policy]: _, ...others } = now;
            const before = old[policy];
            const undone = setOf({ ...others, ...(before && { [policy]: before }) });
            const isAdmitted = undone.policies.length === 0 || admits(undone.policies, pod);
            return isAdmitted !== (direction === 'opens');
          };
          const names = [...new Set([...Object.keys(old), ...Object.keys(now)])];
          assert.deepEqual(
            causes.map(({ policy }) => policy).sort(),
            names.filter(isCause).sort(),
            JSON.stringify({ old, now, pod }),
          );
          named += causes.length;
        }
      }
    }
    assert.ok(named > 0, 'no cause was named');
  });
});
