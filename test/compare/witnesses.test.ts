/**
 * Tests the quick verdicts that the comparison uses to shrink pods. The quick verdicts must equal the verdicts of the
 * operator's code. The policies and the pods are random, and some pods lack a field. WITNESSES=1000 tests 1,000 sets of
 * policies.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Checks } from '../../analysis/compare/alternatives.ts';
import { type Side, Witnesses } from '../../analysis/compare/witnesses.ts';
import { USE_RULE, violationsBy } from '../../operator/evaluate/verdict.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import { RULES } from '../../operator/rules/index.ts';
import { resolved } from '../support/policies.ts';
import { contentOf, randomPods } from '../support/random-pods.ts';
import { arbitraryPod } from '../support/random-policies.ts';
import { SEED } from '../support/seed.ts';
import { FEW_OVERRIDES } from './sets.ts';

const RUNS = Number(process.env.WITNESSES ?? 20);
const PODS = 30;

const RULE_IDS = [...RULES.map(({ id }) => id), USE_RULE];

/**
 * Policies, and the names of the policies that the author of a pod may use. Some of the policies have restricted use.
 */
const SIDES = fc
  .array(fc.record({ spec: FEW_OVERRIDES, isRestricted: fc.boolean(), isUsable: fc.boolean() }), { maxLength: 4 })
  .map((all): Side => {
    const policies = all.map(({ spec, isRestricted }, i) =>
      resolved(`policy-${i}`, { ...spec, ...(isRestricted && { usableBy: 'Bindings' as const }) }),
    );
    return { policies, usable: policies.flatMap(({ name }, i) => (all[i]?.isUsable ? [name] : [])) };
  });

describe(`the witnesses of compare (SEED=${SEED})`, () => {
  const pods = fc
    .sample(fc.oneof(arbitraryPod, randomPods().map(contentOf)), { numRuns: PODS, seed: SEED })
    .flatMap((pod) => [pod, ...mutated(pod)]);

  it(`get the verdicts of the operator's code, for ${RUNS} sets of policies`, function () {
    this.timeout(RUNS * 10_000);
    const witnesses = new Witnesses(new Checks());
    let admitted = 0;
    for (const side of fc.sample(SIDES, { numRuns: RUNS, seed: SEED })) {
      for (const pod of pods) {
        const { verdict, violations } = witnesses.verdict(pod, side);
        assert.equal(witnesses.isAdmitted(pod, side), verdict === 'Compliant', JSON.stringify({ side, pod }));
        if (verdict === 'Compliant') admitted += 1;
        else {
          for (const policy of side.policies) {
            const broken = new Set(violationsBy(policy.name, violations).map(({ rule }) => rule));
            const found = RULE_IDS.filter((id) => witnesses.isRefusedBy(policy, pod, (rule) => rule === id));
            assert.deepEqual(new Set(found), broken, JSON.stringify({ side, pod }));
          }
        }
      }
    }
    assert.ok(admitted > 0 && admitted < RUNS * pods.length, `${admitted} pods were admitted`);
  });
});

/** Copies of the pod. Each copy lacks one field of the pod, or one field of its first container. */
function mutated({ annotations, spec }: PodContent): PodContent[] {
  const { containers, ...own } = spec;
  const [first, ...others] = containers;
  const without = <Fields extends object>(fields: Fields, name: string) =>
    Object.fromEntries(Object.entries(fields).filter(([field]) => field !== name));
  return [
    ...Object.keys(own).map((field) => ({ annotations, spec: { containers, ...without(own, field) } })),
    ...Object.keys(first ?? {}).map((field) => ({
      annotations,
      spec: { ...own, containers: [{ name: 'app', ...without(first ?? {}, field) }, ...others] },
    })),
  ];
}
