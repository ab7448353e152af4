/**
 * Tests that the comparison looks at all values that can change a verdict. The comparison builds pods from its values.
 * For random policies, each random pod must have the same verdicts as one of the built pods. CLASSES=100000 tests
 * 100,000 pods for each rule.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Checks } from '../../analysis/compare/alternatives.ts';
import { Budget } from '../../analysis/compare/budget.ts';
import {
  combinations,
  commonDimensions,
  type Dimension,
  dimensionsOf,
  tinyPodOf,
} from '../../analysis/compare/dimensions.ts';
import { groupsOf, isUnderstood, type UnderstoodCheck } from '../../analysis/compare/groups.ts';
import { isAccepted } from '../../analysis/compare/kubernetes.ts';
import { reduced, rowsOf } from '../../analysis/compare/rows.ts';
import { podOf, TinyPods } from '../../analysis/compare/tiny-pods.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import { RULES } from '../../operator/rules/index.ts';
import type { Rule } from '../../operator/rules/rule.ts';
import { resolved } from '../support/policies.ts';
import { contentOf, randomPods } from '../support/random-pods.ts';
import { arbitraryOverrides, arbitraryPod } from '../support/random-policies.ts';
import { EXAMPLE_PODS } from '../support/random-switches.ts';
import { SEED } from '../support/seed.ts';
import type { Spec } from './sets.ts';

const RUNS = Number(process.env.CLASSES ?? 100);
/** The number of pods for each pair of policies. Finding the values for a pair takes longer than evaluating pods. */
const PODS = Math.max(100, RUNS / 20);

/** Rules that have many values. A short run uses only one policy for each rule with many values. */
const COSTLY = ['capabilities.allowedBounding', 'seLinux'];
/** Rules of every kind: lists, ranges, patterns, types, and fields that depend on other fields. */
const MUTATED = ['hostPorts', 'runAsGroup', 'volumes', 'seccomp', 'sysctls', 'procMount', 'hostPaths'];

/** Pods that the random generator hardly ever produces. */
const PODS_BY_HAND: readonly PodContent[] = [
  // The list has an item that the policy requires and an item that the policy refuses.
  { capabilities: { drop: ['ALL', 'a b'] } },
  { capabilities: { drop: ['all', 'a b'], add: ['CHOWN'] } },
].map((securityContext) => ({ annotations: {}, spec: { containers: [{ name: 'app', image: 'a', securityContext }] } }));

const evaluator = new Evaluator();

describe(`the classes of compare (SEED=${SEED})`, () => {
  const pods = fc
    .sample(fc.oneof(arbitraryPod, randomPods().map(contentOf)), { numRuns: 12 * PODS, seed: SEED })
    .concat(
      EXAMPLE_PODS.map(({ spec, container }) => ({
        annotations: {},
        spec: { ...spec, containers: [{ name: 'app', ...container }] },
      })),
    )
    .concat(PODS_BY_HAND)
    .map(withOneContainer)
    .filter(isAccepted)
    .slice(-PODS);

  for (const rule of RULES) {
    it(`have a member for each of ${RUNS} pods: ${rule.id}`, function () {
      this.timeout(600_000);
      for (let run = 0; run * PODS < RUNS; run++) {
        for (const group of groupsFor(policiesFor(rule, run), rule)) {
          const known = new Set(group.members.map((pod) => verdicts(pod, group.alternatives)));
          for (const pod of pods) {
            const own = verdicts(pod, group.alternatives);
            assert.ok(known.has(own), `no member has the verdicts ${own} of ${JSON.stringify(pod)}`);
          }
        }
      }
    });
  }

  it('removing values from the classes loses combinations of verdicts', () => {
    let removed = 0;
    for (const rule of RULES.filter(({ id }) => MUTATED.includes(id))) {
      for (const { checks: ofGroup, dimensions, members } of groupsFor(policiesFor(rule, 0), rule)) {
        const checks = ofGroup.map((check) => [check]);
        const all = new Set(members.map((pod) => verdicts(pod, checks)));
        for (const { key, values } of dimensions.filter((one) => one.values.length > 1)) {
          for (const value of values) {
            const left = dimensions.map((one) =>
              one.key === key ? { key, values: values.filter((other) => other !== value) } : one,
            );
            const fewer = new Set(membersOf(left).map((pod) => verdicts(pod, checks)));
            if (fewer.size < all.size) removed += 1;
          }
        }
      }
    }
    assert.ok(removed >= 2 * MUTATED.length, `only ${removed} values are needed`);
  });
});

interface Found {
  readonly checks: readonly UnderstoodCheck[];
  /** The checks of each policy, before and after defaulting. The policy refuses a pod that violates one of the checks. */
  readonly alternatives: readonly (readonly UnderstoodCheck[])[];
  readonly dimensions: readonly Dimension[];
  readonly members: readonly PodContent[];
}

/** Finds the groups of the rule's checks. Each group has all pods that the comparison would look at. */
function groupsFor(policies: readonly ResolvedPolicy[], { id }: Rule): Found[] {
  const known = new Checks();
  const alternatives = policies.flatMap((policy) => known.alternatives(policy));
  const all = new Set(alternatives.flatMap(({ checks }) => checks));
  const checks = [...all].filter(({ rule }) => rule === id);
  assert.ok(checks.every(isUnderstood), `the comparison does not understand rule ${id}`);
  const pods = new TinyPods(new Budget(10_000_000));
  const groups = groupsOf(checks.filter(isUnderstood), new Map());
  const common = commonDimensions(groups);
  return groups.groups.map((group) => {
    const dimensions = [...common, ...dimensionsOf(group, groups)];
    const rows = rowsOf(dimensions, group.checks, pods);
    const left = dimensions.map((one) => reduced(one, [rows]));
    const ofGroup = alternatives.map((one) => group.checks.filter((check) => one.checks.includes(check)));
    return { checks: group.checks, alternatives: ofGroup, dimensions: left, members: membersOf(left) };
  });
}

function membersOf(dimensions: readonly Dimension[]): PodContent[] {
  return combinations(dimensions).map((chosen) => podOf(tinyPodOf(chosen)));
}

/**
 * Two policies that state the rule. The first run uses the rule's examples, and later runs use random policies.
 */
function policiesFor(rule: Rule, run: number): ResolvedPolicy[] {
  const examples = rule.examples.map(({ overrides, level }): Spec => ({ overrides, ...(level && { level }) }));
  const [field = ''] = rule.id.split('.');
  const random = arbitraryOverrides
    .filter((overrides) => field in overrides)
    .map((overrides): Spec => ({ overrides: { [field]: overrides[field as 'seccomp'] } }));
  const isStated = fc.sample(arbitraryOverrides, { numRuns: 100, seed: 1 }).some((overrides) => field in overrides);
  const specs =
    run === 0 || !isStated
      ? examples.slice(0, COSTLY.includes(rule.id) && RUNS < 1000 ? 1 : 2)
      : (fc.sample(fc.tuple(random, random), { numRuns: 1, seed: SEED + run })[0] ?? []);
  return specs.map((spec, i) =>
    resolved(`policy-${i}`, { ...spec, defaulting: run % 2 === 0 ? 'Disabled' : 'Enabled' }),
  );
}

/** For each list of checks, whether the pod violates one of the checks. */
function verdicts(pod: PodContent, lists: readonly (readonly UnderstoodCheck[])[]): string {
  const isViolated = ({ alone }: UnderstoodCheck) =>
    evaluator.violations(pod, { checks: alone, filledChecks: alone }).length > 0;
  return lists.map((checks) => (checks.some(isViolated) ? '1' : '0')).join('');
}

/**
 * The pod with only its first container and its first volume, because the comparison examines containers and volumes
 * one by one.
 */
function withOneContainer({ annotations, spec }: PodContent): PodContent {
  const { initContainers: _, containers, volumes = [], ...rest } = spec;
  const [container] = containers;
  const [volume] = volumes;
  const isOwn = (key: string) => !key.includes('/') || key.endsWith(`/${container?.name}`) || key.endsWith('/pod');
  return {
    annotations: Object.fromEntries(Object.entries(annotations).filter(([key]) => isOwn(key))),
    spec: { ...rest, containers: container ? [container] : [], ...(volume && { volumes: [volume] }) },
  };
}
