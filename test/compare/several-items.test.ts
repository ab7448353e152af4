/**
 * Tests comparisons in which one pod or container needs several items of a list. A brute-force search over all small
 * pods gives the expected answers. SEVERAL=500 tests 500 random pairs of sets for each list.
 */
import assert from 'node:assert/strict';
import fc, { type Arbitrary } from 'fast-check';
import { isAccepted } from '../../analysis/compare/kubernetes.ts';
import type { Container, PodContent } from '../../operator/model/objects.ts';
import { SEED } from '../support/seed.ts';
import { admits, compared, type Spec, type Specs, setOf } from './sets.ts';

const RUNS = Number(process.env.SEVERAL ?? 8);
const MOST_POLICIES = 4;

/** A list, policies that each allow some of four items of the list, and all pods with some of the items. */
interface List {
  readonly specOf: (allowed: readonly number[]) => Spec;
  readonly podOf: (items: readonly number[]) => PodContent;
}

const SYSCTLS = ['vm.a', 'vm.b', 'vm.c', 'vm.d'];
const GROUPS = [10, 20, 30, 40];
const CAPABILITIES = ['NET_ADMIN', 'SYS_TIME', 'SYS_PTRACE', 'BPF'];
const ITEMS = [0, 1, 2, 3] as const;

function chosen<Item>(all: readonly Item[], items: readonly number[]): Item[] {
  return items.map((i) => all[i] as Item);
}

function podWith(securityContext: object, container: object = {}): PodContent {
  const containers = [{ name: 'a', image: 'app', ...container } as unknown as Container];
  return { annotations: {}, spec: { securityContext, containers } };
}

const LISTS: Readonly<Record<string, List>> = {
  sysctls: {
    specOf: (allowed) => ({ level: 'baseline', overrides: { sysctls: { allowed: chosen(SYSCTLS, allowed) } } }),
    podOf: (items) => podWith({ sysctls: chosen(SYSCTLS, items).map((name) => ({ name, value: '1' })) }),
  },
  supplementalGroups: {
    specOf: (allowed) => {
      const ranges = chosen(GROUPS, allowed).map((id) => ({ min: id, max: id }));
      return { level: 'baseline', overrides: { supplementalGroups: { rule: 'MayRunAs', ranges } } };
    },
    podOf: (items) => podWith({ supplementalGroups: chosen(GROUPS, items) }),
  },
  'capabilities of container a': {
    specOf: (allowed) => {
      const capabilities = { allowedAdd: chosen(CAPABILITIES, allowed) };
      return { level: 'baseline', containers: [{ names: ['a'], overrides: { capabilities } }] };
    },
    podOf: (items) => podWith({}, { securityContext: { capabilities: { add: chosen(CAPABILITIES, items) } } }),
  },
};

const SETS: Arbitrary<readonly (readonly number[])[]> = fc.array(fc.subarray([...ITEMS], { minLength: 1 }), {
  minLength: 1,
  maxLength: MOST_POLICIES,
});

describe(`compare, with pods that need several items of a list (SEED=${SEED})`, () => {
  for (const [title, { specOf, podOf }] of Object.entries(LISTS)) {
    it(`agrees with all small pods, for ${RUNS} pairs: ${title}`, function () {
      this.timeout(RUNS * 30_000);
      const pods = subsetsOf(ITEMS).map(podOf).filter(isAccepted);
      assert.equal(pods.length, 2 ** ITEMS.length);
      const specsOf = (sets: readonly (readonly number[])[]): Specs =>
        Object.fromEntries(sets.map((allowed, i) => [`policy-${i}`, specOf(allowed)]));
      const seen = { differing: 0 };
      for (const [old, now] of fc.sample(fc.tuple(SETS, SETS), { numRuns: RUNS, seed: SEED })) {
        const text = JSON.stringify({ old, now });
        const found = compared(specsOf(old), specsOf(now));
        const [a, b] = [setOf(specsOf(old)).policies, setOf(specsOf(now)).policies];
        assert.deepEqual(found.undecided, [], text);
        for (const [direction, from, to] of [['opens', b, a] as const, ['closes', a, b] as const]) {
          const expected = pods.some((pod) => admits(from, pod) && !admits(to, pod));
          assert.equal(found[direction].length > 0, expected, `${direction}: ${text}`);
          for (const { pod } of found[direction])
            assert.ok(isAccepted(pod) && admits(from, pod) && !admits(to, pod), `${direction}: ${text}`);
          seen.differing += expected ? 1 : 0;
        }
      }
      assert.ok(seen.differing > 0, 'no random pair differs');
    });
  }
});

function subsetsOf<Item>(items: readonly Item[]): Item[][] {
  const [first, ...others] = items;
  if (first === undefined) return [[]];
  const without = subsetsOf(others);
  return [...without, ...without.map((list) => [first, ...list])];
}
