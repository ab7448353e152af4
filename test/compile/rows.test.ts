/**
 * Tests programs with several random policies as rows. The program must find the same violations in a pod as the
 * operator. The operator evaluates each policy with separate expressions.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { CapabilityPolicyOverrides } from '../../operator/api/capability-policy.ts';
import { modeProgram } from '../../operator/compile/mode-program.ts';
import { programOf } from '../../operator/compile/program-text.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import { checksOf, type ResolvedPolicy } from '../../operator/policy/resolve.ts';
import { LEVELS } from '../../operator/standards/level-version.ts';
import { contentOf, randomPods } from '../support/random-pods.ts';
import { arbitraryPod, arbitraryPolicy, policyOf } from '../support/random-policies.ts';
import { SEED } from '../support/seed.ts';
import { AdmissionText, type Request } from './admission-text.ts';

const OPTIONS = { operatorNamespace: 'operator', excludedNamespaces: [] };
const evaluator = new Evaluator();

function textOf(policies: readonly ResolvedPolicy[], hasVariables = true): AdmissionText {
  const text = modeProgram('Enforce', { suffix: '', policies }, OPTIONS);
  return new AdmissionText(
    programOf(text, { kind: 'Enforce', name: 'x', rows: new Map(), ownerUid: '', hasVariables }).policy,
  );
}

function renamed(policy: ResolvedPolicy, index: number, defaulting: boolean): ResolvedPolicy {
  const id = `p${index}`;
  const filled = { defaulting, filledChecks: checksOf(policy, defaulting) };
  return { ...policy, id, name: id, mode: 'Enforce', usableBy: 'Everyone', priority: 0, ...filled };
}

/**
 * Policies with a level and few overrides. If all overrides were random, most random pods would comply with no policy.
 */
const simple = fc
  .record({
    level: fc.constantFrom(...LEVELS),
    overrides: fc.constantFrom<CapabilityPolicyOverrides[]>(
      {},
      { readOnlyRootFilesystem: true },
      { runAsUser: { rule: 'MustRunAs' as const, ranges: [{ min: 1000, max: 2000 }] } },
      { capabilities: { requiredDrop: ['NET_RAW'] } },
    ),
  })
  .map(({ level, overrides }) => policyOf(level, 'latest', overrides));
const pods = fc.oneof(arbitraryPod, { weight: 3, arbitrary: randomPods().map(contentOf) });

const policies = fc
  .array(fc.tuple(fc.oneof(arbitraryPolicy, simple), fc.boolean()), { minLength: 1, maxLength: 3 })
  .map((some) => some.map(([policy, defaulting], i) => renamed(policy, i, defaulting)));

function lines(pod: PodContent, policy: ResolvedPolicy, filled: boolean): string[] {
  return evaluator
    .violations(pod, policy, filled)
    .map(({ rule, message }) => `${rule}: ${message}`)
    .sort();
}

function requestOf({ annotations, spec }: PodContent): Request {
  return { resource: 'pods', object: { metadata: { annotations }, spec } };
}

function namesIn(rows: unknown): string[] {
  return (rows as { name: string[] }[]).map(({ name: [name = ''] }) => name);
}

describe('policies as rows of one program', () => {
  it(`comply and violate as each policy does, unfilled and filled, with spec.containers (seed ${SEED})`, () => {
    const seen = { complying: 0, violating: 0, filled: 0, entries: 0 };
    fc.assert(
      fc.property(policies, fc.array(pods, { minLength: 3, maxLength: 3 }), (all, some) => {
        const text = textOf(all);
        const fills = all.some(({ defaulting }) => defaulting);
        seen.entries += all.filter(({ containers }) => containers.length > 0).length;
        for (const pod of some) {
          const request = requestOf(pod);
          const tooLarge = text.run('tooLarge', request) as string;
          for (const filled of fills ? [false, true] : [false]) {
            const evaluated = filled ? all.filter(({ defaulting }) => defaulting) : all;
            const name = filled ? 'filled' : fills ? 'unfilled' : 'complying';
            const expected = evaluated
              .filter((policy) => lines(pod, policy, filled).length === 0)
              .map(({ name }) => name);
            assert.deepEqual(namesIn(text.run(name, request)), expected, name);
            seen[filled ? 'filled' : 'complying'] += expected.length;
            const lists = text.run(filled ? 'violationsFilled' : 'violations', request) as string[][][];
            for (const [index, policy] of all.entries()) {
              if (filled && !policy.defaulting) continue;
              const ofSize = policy.checks.length > 0 ? [`size: pod ${tooLarge}`] : [];
              const found = tooLarge === '' ? [...(lists[index]?.[0] ?? [])] : ofSize;
              assert.deepEqual(found.sort(), lines(pod, policy, filled));
              seen.violating += found.length;
            }
          }
        }
      }),
      { seed: SEED, numRuns: 30 },
    );
    assert.ok(Math.min(...Object.values(seen)) > 5, JSON.stringify(seen));
  });

  it(`give the same verdicts without variables (seed ${SEED})`, () => {
    const seen = { admitted: 0, refused: 0 };
    fc.assert(
      fc.property(policies, fc.array(pods, { minLength: 2, maxLength: 2 }), (all, some) => {
        const [withVariables, without] = [textOf(all), textOf(all, false)];
        for (const pod of some) {
          const refusal = withVariables.refusal(requestOf(pod));
          assert.equal(without.refusal(requestOf(pod)) === undefined, refusal === undefined);
          seen[refusal === undefined ? 'admitted' : 'refused']++;
        }
      }),
      { seed: SEED, numRuns: 10 },
    );
    assert.ok(Math.min(...Object.values(seen)) > 0, JSON.stringify(seen));
  });
});
