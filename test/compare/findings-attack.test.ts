/**
 * Tests findings about random sets of policies. No random pod may contradict a finding. For example, deleting a
 * redundant policy must change no verdict on a pod, for any user, namespace and time. The deletion must also change no
 * value that defaulting fills in. FINDINGS=200 tests 200 sets.
 */
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import fc, { type Arbitrary } from 'fast-check';
import type { Finding } from '../../analysis/compare/finding.ts';
import { findingsOf } from '../../analysis/compare/findings.ts';
import { isAccepted } from '../../analysis/compare/kubernetes.ts';
import { DEFAULT_LIMIT } from '../../analysis/compare/limits.ts';
import { lateIn } from '../../cli/commands/compare/late-in.ts';
import type { UseIndex } from '../../operator/evaluate/use.ts';
import { evaluate } from '../../operator/evaluate/verdict.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import { objectOf } from '../../operator/model/raw.ts';
import { deciding, MODES } from '../../operator/policy/deciding.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import { fillCreated } from '../defaulting/fill.ts';
import { contentOf, randomPods } from '../support/random-pods.ts';
import { arbitraryPod } from '../support/random-policies.ts';
import { SEED } from '../support/seed.ts';
import { admits, FEW_OVERRIDES, hasOci, namesOci, type Spec, type Specs, setOf } from './sets.ts';

const RUNS = Number(process.env.FINDINGS ?? 6);
/** The minimum number of findings to test. If the first sets have fewer findings, more sets follow. */
const LEAST_FOUND = RUNS / 4;
const MOST_RUNS = RUNS * 10;
/** A search ends after this time. The test examines the findings that the search has made by this time. */
const SET_MS = RUNS >= 100 ? 600_000 : 3_000;
const NOW = Date.parse('2026-11-29T00:00:00Z');
const PODS = 2000;
/** The number of pods that are tested for each user, namespace and time. */
const TRIED = 60;

const NAMESPACE = { 'kubernetes.io/metadata.name': 'net' };
const LABELS = [NAMESPACE, ...['a', 'b', 'c'].map((team) => ({ ...NAMESPACE, team }))];

const SELECTORS: readonly Spec['namespaceSelector'][] = [
  {},
  {},
  { matchLabels: { team: 'a' } },
  { matchExpressions: [{ key: 'team', operator: 'In', values: ['a', 'b'] }] },
  { matchExpressions: [{ key: 'team', operator: 'NotIn', values: ['a'] }] },
];

const user = (name: string) => ({ kind: 'User' as const, name });
const USES: readonly Spec[] = [
  {},
  {},
  {},
  { usableBy: 'Subjects', subjects: [user('ann')] },
  { usableBy: 'Subjects', subjects: [user('ann'), user('bob')] },
  { usableBy: 'Bindings' },
];

/** The fields of a policy that do not restrict the content of pods. */
const TERMS: Arbitrary<Spec> = fc
  .record({
    namespaceSelector: fc.constantFrom(...SELECTORS),
    use: fc.constantFrom(...USES),
    priority: fc.constantFrom(0, 0, 0, 1),
    mode: fc.constantFrom('Enforce' as const, 'Enforce' as const, 'Enforce' as const, 'Warn' as const),
    expires: fc.constantFrom(undefined, undefined, undefined, '2027-01-01T00:00:00Z', '2028-01-01T00:00:00Z'),
  })
  .map(({ use, expires, ...spec }) => ({ ...spec, ...use, ...(expires !== undefined && { expires }) }) as Spec);

/** Overrides with values for defaulting. Each of the values complies with the overrides. */
const FILLS = fc.constantFrom<Spec['overrides'][]>(
  undefined,
  undefined,
  undefined,
  { runtimeClasses: { default: 'gvisor' } },
  { runtimeClasses: { default: 'kata' } },
  { defaultAllowPrivilegeEscalation: false },
);

function filling(spec: Spec, fills: Spec['overrides']): Spec {
  return fills ? { ...spec, defaulting: 'Enabled', overrides: { ...spec.overrides, ...fills } } : spec;
}

/**
 * Two to four policies. Most policies of a set have the overrides of the set. Some of these policies have a few more
 * overrides.
 */
const SETS: Arbitrary<Specs> = fc
  .tuple(
    FEW_OVERRIDES,
    fc.array(fc.record({ terms: TERMS, own: FEW_OVERRIDES, like: fc.nat(3), copies: fc.boolean(), fills: FILLS }), {
      minLength: 2,
      maxLength: 4,
    }),
  )
  .map(([first, others]) => {
    const rules = ({ own, like }: { own: Spec; like: number }): Spec => {
      if (like === 0) return own;
      return like === 1 ? { ...first, overrides: { ...own.overrides, ...first.overrides } } : first;
    };
    const specs = others.map((one, i) => {
      const { defaulting, ...spec } = {
        ...filling(rules(one), one.fills),
        ...(one.copies && i > 0 ? others[0]?.terms : one.terms),
      };
      // Only mode Enforce has defaulting.
      return [`policy-${i}`, spec.mode === 'Warn' ? spec : { ...spec, ...(defaulting && { defaulting }) }];
    });
    return Object.fromEntries(specs) as Specs;
  });

const evaluator = new Evaluator();

describe(`findings, with random policies (SEED=${SEED})`, () => {
  it(`are not contradicted by ${PODS} random pods, in at least ${RUNS} sets`, function () {
    this.timeout(MOST_RUNS * 30_000);
    const accepted = acceptedPods();
    const acceptedWithoutOci = accepted.filter((pod) => !hasOci(pod));
    const kinds = new Map<string, number>();
    const found = () => [...kinds.values()].reduce((sum, count) => sum + count, 0);
    for (const [i, specs] of fc.sample(SETS, { numRuns: MOST_RUNS, seed: SEED }).entries()) {
      if (i >= RUNS && found() >= LEAST_FOUND) break;
      // A finding may come from a comparison of any two policies of the set. If at most one policy does not name the
      // type OCI, each of these comparisons tries the type.
      const namesOciInPairs = Object.values(specs).filter((spec) => !namesOci(spec)).length <= 1;
      const pods = namesOciInPairs ? accepted : acceptedWithoutOci;
      const set = setOf(specs);
      const { findings } = findingsOf(set, { at: NOW, limit: DEFAULT_LIMIT, isLate: lateIn(SET_MS) });
      for (const finding of findings) {
        kinds.set(finding.kind, (kinds.get(finding.kind) ?? 0) + 1);
        const told = `${JSON.stringify(finding)}\n${JSON.stringify(specs)}`;
        for (const gone of deletable(finding)) assertNoChange(set.policies, new Set([gone]), pods, told);
        const policy = set.policies.find(({ name }) => name === finding.policy) as ResolvedPolicy;
        const wrong = wronglyRefused(finding, policy, pods);
        assert.equal(wrong, undefined, `${told}\n${JSON.stringify(wrong)}`);
      }
      const all = new Set(findings.flatMap(deletable));
      assertNoChange(set.policies, all, pods, `${[...all]}\n${JSON.stringify(specs)}`);
    }
    assert.ok(found() >= LEAST_FOUND, JSON.stringify([...kinds]));
    if (RUNS >= 100) assert.ok(kinds.size >= 4, JSON.stringify([...kinds]));
  });
});

/** Returns the policies that can be deleted according to the finding. */
function deletable({ kind, policy, others }: Finding): readonly string[] {
  if (kind === 'same') return others;
  return ['opens-nothing', 'redundant', 'decides-nowhere'].includes(kind) ? [policy] : [];
}

/** A pod that the policy admits, although a finding says that the policy admits no such pod. */
function wronglyRefused(
  { kind }: Finding,
  policy: ResolvedPolicy,
  pods: readonly PodContent[],
): PodContent | undefined {
  if (kind !== 'admits-nothing' && kind !== 'admits-only-windows') return undefined;
  const isClaimed = ({ spec }: PodContent) => kind === 'admits-nothing' || objectOf(spec.os).name !== 'windows';
  return pods.find((pod) => isClaimed(pod) && admits([policy], pod));
}

/**
 * Checks that deleting the policies `gone` changes no verdict on a random pod. The check covers each user and each
 * namespace, and ends when the first of the policies expires.
 */
function assertNoChange(
  policies: readonly ResolvedPolicy[],
  gone: ReadonlySet<string>,
  pods: readonly PodContent[],
  told: string,
): void {
  const end = Math.min(...policies.filter(({ name }) => gone.has(name)).map(({ expires }) => expires));
  const times = [NOW, ...policies.map(({ expires }) => expires + 1)].filter((time) => time < end);
  for (const time of times) {
    const alive = policies.filter(({ expires }) => expires > time);
    for (const labels of LABELS) {
      for (const mode of MODES) {
        const before = deciding(alive, mode, labels);
        if (!before.some(({ name }) => gone.has(name))) continue;
        const left = alive.filter(({ name }) => !gone.has(name));
        const after = deciding(left, mode, labels);
        assert.ok(after.length > 0, `no policy decides in ${JSON.stringify(labels)}: ${told}`);
        assertSameVerdicts(before, after, pods, `${JSON.stringify({ labels, mode, time })}: ${told}`);
      }
    }
  }
}

function assertSameVerdicts(
  before: readonly ResolvedPolicy[],
  after: readonly ResolvedPolicy[],
  pods: readonly PodContent[],
  told: string,
): void {
  for (const mayUse of usersOf(before)) {
    const [first = 0] = fc.sample(fc.nat(pods.length - TRIED), { numRuns: 1, seed: SEED + told.length });
    for (const pod of [...pods.slice(0, TRIED), ...pods.slice(first, first + TRIED)]) {
      for (const filled of [false, true]) {
        const verdictOf = (policies: readonly ResolvedPolicy[]) =>
          evaluate(
            { namespace: 'net', content: pod, users: [{ name: 'author', groups: [] }], filled, unknownUser: false },
            policies,
            { evaluator, use: { mayUse: (_user, _namespace, policy) => mayUse(policy) } as UseIndex },
          ).verdict;
        assert.equal(verdictOf(after), verdictOf(before), `${told}\n${JSON.stringify({ filled, pod })}`);
      }
      const own = (policies: readonly ResolvedPolicy[]) =>
        policies.filter(({ usableBy, name }) => usableBy === 'Everyone' || mayUse(name));
      assert.deepEqual(filledBy(own(after), pod), filledBy(own(before), pod), `${told}\n${JSON.stringify(pod)}`);
    }
  }
}

/**
 * The pod after defaulting. If no policy admits the pod unchanged, the first policy by name fills in the pod.
 */
function filledBy(policies: readonly ResolvedPolicy[], pod: PodContent): PodContent {
  const filledWith = (policy: ResolvedPolicy) => fillCreated(pod, policy.fills);
  const leaves = (policy: ResolvedPolicy) => isDeepStrictEqual(filledWith(policy), pod);
  const isFine = (policy: ResolvedPolicy, filled: boolean) => evaluator.violations(pod, policy, filled).length === 0;
  if (policies.some((policy) => isFine(policy, false) && leaves(policy))) return pod;
  const filling = policies.filter((policy) => policy.defaulting && isFine(policy, true));
  const [first] = filling.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return first ? filledWith(first) : pod;
}

/**
 * The rights of different users. A user has no right, all rights, the rights of one subject, or the right to one policy
 * with bindings.
 */
function usersOf(policies: readonly ResolvedPolicy[]): ((policy: string) => boolean)[] {
  const usable = (isFor: (policy: ResolvedPolicy) => boolean) => {
    const names = new Set(policies.filter(isFor).map(({ name }) => name));
    return (policy: string) => names.has(policy);
  };
  const subjects = ['ann', 'bob'].map((name) =>
    usable((policy) => policy.subjects.some((subject) => subject.name === name)),
  );
  const bound = policies.flatMap((one) => (one.usableBy === 'Bindings' ? [usable((other) => other === one)] : []));
  return [usable(() => false), ...subjects, ...bound, usable(() => true)];
}

function acceptedPods(): PodContent[] {
  const random = fc.sample(fc.oneof(arbitraryPod, randomPods().map(contentOf)), { numRuns: 4 * PODS, seed: SEED });
  return random.filter(isAccepted).slice(0, PODS);
}
