/**
 * Tests comparisons and searches for findings that end early, because their time is over. A clock that counts steps
 * replaces the time.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { IsLate } from '../../analysis/compare/budget.ts';
import { type Comparison, compare, DIRECTIONS } from '../../analysis/compare/compare.ts';
import { type Findings, findingsOf } from '../../analysis/compare/findings.ts';
import type { PolicySet } from '../../analysis/compare/policy-set.ts';
import { summariesOf } from '../../analysis/compare/sentences.ts';
import { COMPARED } from '../../hack/bench/compare-topologies.ts';
import type { NamedSpec } from '../../hack/bench/topology-policies.ts';
import { SEED } from '../support/seed.ts';
import { PAIRS, setOf, specsOf } from './sets.ts';

const LIMIT = 15_000;
const POLICIES = 4;
/** For each question, the test gets this number of answers that end early. */
const CUTS = 5;
const AT = Date.parse('2026-11-29T00:00:00Z');

const TOPOLOGIES = Object.entries(COMPARED).map(([title, topology]): [string, PolicySet, PolicySet] => {
  const sets = topology(POLICIES);
  return [title, setOf(specsOf(sets.old)), setOf(specsOf(sets.new))];
});
const RANDOM = fc
  .sample(PAIRS, { numRuns: 1, seed: SEED })
  .map(([old, now], i): [string, PolicySet, PolicySet] => [`random pair ${i}`, setOf(old), setOf(now)]);

/** Policies of tenants. Half of the policies admit more pods after the change, and half of them admit fewer pods. */
const TENANTS: [string, PolicySet, PolicySet] = [
  'policies that open and close',
  setOf(specsOf(tenants((i) => i % 2 === 0))),
  setOf(specsOf(tenants((i) => i % 2 === 1))),
];

/** Pairs of policies with equal specs. */
const COPIES: [string, PolicySet, PolicySet] = [
  'pairs of copies',
  setOf({}),
  setOf(Object.fromEntries(['a', 'a2', 'b', 'b2'].map((name) => [name, selecting(name.charAt(0))]))),
];

describe(`a comparison whose time is over (SEED=${SEED})`, function () {
  this.timeout(300_000);

  /** Among the answers that ended early, the largest number of differences in one answer. */
  let most = 0;
  for (const [title, old, now] of [TENANTS, ...TOPOLOGIES, ...RANDOM]) {
    it(`has the first differences of the full comparison, and proves nothing: ${title}`, () => {
      const full = compare(old, now, { limit: LIMIT });
      const comparing = (isLate: IsLate) => compare(old, now, { limit: LIMIT, isLate });
      for (const cut of cutAnswers(comparing, full)) {
        assertBeginning(cut, full);
        most = Math.max(most, cut.opens.length + cut.closes.length);
      }
    });
  }

  it('has some of the differences', () => assert.ok(most > 1, `at most ${most} differences`));

  it('ends during the search for classes of namespaces', () => {
    const labels = Array.from({ length: 14 }, (_, i) => [`p${i}`, selecting(`label-${i}`)] as const);
    const set = setOf(Object.fromEntries(labels));
    const { isLate, steps } = lateAfterSteps(100);
    const cut = compare(set, set, { limit: LIMIT, isLate });
    assert.equal(steps(), 101);
    assert.deepEqual(cut.undecided, [{ message: 'the time was over before the classes of namespaces were known' }]);
  });
});

describe('a search for findings whose time is over', function () {
  this.timeout(300_000);

  /** Among the answers that ended early, the largest number of findings in one answer. */
  let most = 0;
  for (const [title, , set] of [COPIES, ...TOPOLOGIES]) {
    it(`has only findings of the full search: ${title}`, () => {
      const options = { at: AT, limit: LIMIT, samples: LIMIT };
      const full = findingsOf(set, options);
      const search = (isLate: IsLate) => findingsOf(set, { ...options, isLate });
      for (const cut of cutAnswers<Findings>(search, full)) {
        const known = new Set(full.findings.map((one) => JSON.stringify(one)));
        assert.deepEqual(
          cut.findings.filter((one) => !known.has(JSON.stringify(one))),
          [],
        );
        const named = new Set(full.undecided.map((one) => JSON.stringify(one)));
        assert.deepEqual(
          cut.undecided.filter((one) => !named.has(JSON.stringify(one))),
          [{ message: 'the time was over before all policies were examined' }],
        );
        most = Math.max(most, cut.findings.length);
      }
    });
  }

  it('has some of the findings', () => assert.ok(most > 0, 'all answers were empty'));
});

/** Answers that end after different numbers of steps. With enough steps, the answer must be the full answer. */
function cutAnswers<Answer extends { readonly isCut: boolean }>(
  answer: (isLate: IsLate) => Answer,
  full: Answer,
): Answer[] {
  const { isLate, steps } = lateAfterSteps(Number.POSITIVE_INFINITY);
  assert.deepEqual(answer(isLate), full);
  assert.equal(full.isCut, false);
  const cuts = Array.from({ length: CUTS }, (_, i) => Math.floor((steps() * i) / CUTS));
  return cuts.map((most) => {
    const cut = answer(lateAfterSteps(most).isLate);
    assert.equal(cut.isCut, steps() > 0);
    return cut;
  });
}

/**
 * A clock that reports the end of the time after a number of steps. After this report, the work must make no further
 * step.
 */
function lateAfterSteps(most: number): { readonly isLate: IsLate; steps(): number } {
  let steps = 0;
  const isLate = () => {
    steps++;
    assert.ok(steps <= most + 1, 'the work went on although the time was over');
    return steps > most;
  };
  return { isLate, steps: () => steps };
}

function assertBeginning(cut: Comparison, full: Comparison): void {
  for (const direction of DIRECTIONS) {
    assert.deepEqual(cut[direction], full[direction].slice(0, cut[direction].length));
  }
  const { direction, message } = cut.undecided.at(-1) ?? {};
  assert.equal(direction, undefined);
  assert.match(message ?? '', /^the time was over(?:; compared| before the) classes of namespaces/);
  assert.deepEqual(cut.undecided.slice(0, -1), full.undecided.slice(0, cut.undecided.length - 1));
  assert.equal(cut.same, false);
  const states = summariesOf({ old: 'old', new: 'new', comparison: cut }).map(({ state }) => state);
  assert.ok(!states.includes('proved'), states.join());
}

function tenants(hostPID: (index: number) => boolean): NamedSpec[] {
  return Array.from({ length: 6 }, (_, i) => {
    const spec = { ...selecting(`tenant-${i}`), level: 'privileged', overrides: { hostPID: hostPID(i) } } as const;
    return { name: `tenant-${i}`, spec };
  });
}

function selecting(label: string) {
  return { level: 'restricted', mode: 'Enforce', namespaceSelector: { matchLabels: { [label]: 'yes' } } } as const;
}
