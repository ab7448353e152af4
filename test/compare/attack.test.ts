/**
 * Tests comparisons of random sets of policies. A comparison may claim that its list of rules is complete. According to
 * this claim, a pod that only the new set admits breaks a listed rule in the old set. In the other direction, each pod
 * that only the old set admits must break a listed rule in the new set. No random pod may contradict the claim.
 * COMPARED=2000 tests 2,000 pairs of sets.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { compare } from '../../analysis/compare/compare.ts';
import { isAccepted, isAcceptedFilled } from '../../analysis/compare/kubernetes.ts';
import { DEFAULT_LIMIT } from '../../analysis/compare/limits.ts';
import { lateIn } from '../../cli/commands/compare/late-in.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import { evaluatesFilled } from '../../operator/policy/parts.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import { SIZE_RULE } from '../../operator/rules/size.ts';
import { contentOf, randomPods } from '../support/random-pods.ts';
import { arbitraryPod } from '../support/random-policies.ts';
import { EXAMPLE_PODS } from '../support/random-switches.ts';
import { SEED } from '../support/seed.ts';
import { admits, evaluator, hasOci, namesOci, PAIRS, setOf } from './sets.ts';

const RUNS = Number(process.env.COMPARED ?? 6);
const IS_LONG = RUNS >= 1000;
const PODS = IS_LONG ? 2000 : 500;
/** Pairs whose comparison takes longer than this time in ms are left out, and other pairs replace them. */
const PAIR_MS = IS_LONG ? 10_000 : 3_000;
const MOST_RUNS = RUNS * 10;
const TOO_LARGE = new Set([SIZE_RULE]);
/** A policy that restricts something, so the bounds for the size of a pod apply. */
const RESTRICTING = setOf({ restricted: { level: 'restricted' } }).policies;

describe(`compare, with random policies (SEED=${SEED})`, () => {
  it(`finds what ${PODS} random pods find, for ${RUNS} pairs`, function () {
    this.timeout(RUNS * 120_000);
    const pods = randomAcceptedPods();
    const podsWithoutOci = pods.filter((pod) => !hasOci(pod));
    const seen = { pairs: 0, late: 0, proofs: 0 };
    for (const [old, now] of fc.sample(PAIRS, { numRuns: MOST_RUNS, seed: SEED })) {
      if (seen.pairs >= RUNS) break;
      const [a, b] = [setOf(old), setOf(now)];
      const isLate = lateIn(PAIR_MS);
      const found = compare(a, b, { limit: DEFAULT_LIMIT, isLate });
      seen[isLate() ? 'late' : 'pairs'] += 1;
      const random = [...Object.values(old), ...Object.values(now)].some(namesOci) ? pods : podsWithoutOci;
      const shown = [...found.opens, ...found.closes].map(({ pod }) => pod);
      for (const [direction, from, to] of [['opens', b, a] as const, ['closes', a, b] as const]) {
        for (const { pod } of found[direction]) {
          assert.ok(
            admits(from.policies, pod) && !admits(to.policies, pod) && (isAccepted(pod) || isAcceptedFilled(pod)),
            JSON.stringify(pod),
          );
        }
        const isOpen = found.undecided.some((one) => one.direction === undefined || one.direction === direction);
        if (isOpen) continue;
        const isProof = found[direction].length === 0;
        seen.proofs += isProof ? 1 : 0;
        if (!isProof && !found.namesEveryRule[direction]) continue;
        const rules = new Set(found[direction].flatMap((one) => one.rules));
        const wrong = [...random, ...mutated(shown)].find(
          (pod) => admits(from.policies, pod) && !admits(to.policies, pod) && !breaksOneOf(rules, to.policies, pod),
        );
        assert.equal(wrong, undefined, `${direction}: ${JSON.stringify({ old, now, wrong })}`);
      }
    }
    if (IS_LONG) console.log(`    ${JSON.stringify(seen)}`);
    assert.ok(seen.pairs >= RUNS && seen.proofs >= RUNS / 4, JSON.stringify(seen));
  });
});

/** Whether a policy refuses the pod by one of the rules. */
function breaksOneOf(rules: ReadonlySet<string>, policies: readonly ResolvedPolicy[], pod: PodContent): boolean {
  return policies.some((policy) =>
    evaluator.violations(pod, policy, evaluatesFilled(policy)).some(({ rule }) => rules.has(rule)),
  );
}

/** Random pods that the API server accepts, and pods with the fields of the rules' examples. */
function randomAcceptedPods(): PodContent[] {
  const examples = EXAMPLE_PODS.map(({ spec = {}, container = {} }) => ({
    annotations: {},
    spec: { ...spec, containers: [{ name: 'app0', image: 'a', ...container }] },
  }));
  const random = fc.sample(fc.oneof(arbitraryPod, randomPods().map(contentOf)), { numRuns: 20 * PODS, seed: SEED });
  // Pods that are too large are not compared (docs/compare.md).
  return [...examples, ...random]
    .filter((pod) => isAccepted(pod) && !breaksOneOf(TOO_LARGE, RESTRICTING, pod))
    .slice(0, PODS);
}

/** Copies of the pods. Each copy lacks one field. */
function mutated(pods: readonly PodContent[]): PodContent[] {
  return pods.flatMap(({ annotations, spec }) =>
    Object.keys(spec).flatMap((field) => {
      const { [field]: _, ...rest } = spec;
      return rest.containers ? [{ annotations, spec: rest as PodContent['spec'] }] : [];
    }),
  );
}
