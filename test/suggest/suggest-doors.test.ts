/**
 * Tests the limits of suggestions. A suggestion must not refuse anything that the level admits. A suggestion must admit
 * only what workloads need.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { resolvedBy } from '../../analysis/suggest/stated.ts';
import { type Suggestion, suggest } from '../../analysis/suggest/suggest.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import { RULES } from '../../operator/rules/index.ts';
import { type Level, NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { contentOf, randomPods } from '../support/random-pods.ts';
import { SEED } from '../support/seed.ts';
import { isOfRealSize, type Made, made, mayBeAdmitted, near, specOf } from './suggest-features.ts';

const RUNS = Number(process.env.FC_RUNS ?? 25);
const evaluator = new Evaluator();
const STANDARD = { minor: NEWEST_KNOWN_MINOR, server: NEWEST_KNOWN_MINOR };

function suggestionFor(pods: readonly PodContent[]): Suggestion {
  const given = pods.map((content, i) => ({
    workload: { kind: 'Pod', namespace: 'net', name: `pod-${i}` },
    content,
  }));
  const [suggestion] = suggest(given, { standard: STANDARD, evaluator });
  return suggestion as Suggestion;
}

/** Returns those policies of a suggestion that a pod of this service account may use. */
function usable({ level, exceptions }: Suggestion, serviceAccount: string) {
  const own = exceptions.filter(({ serviceAccounts }) => serviceAccounts.includes(serviceAccount));
  return [{ level: level as Level, stated: [] }, ...own].map((one) => {
    const stated = Object.fromEntries(one.stated.map(({ path, value }) => [path, value]));
    return resolvedBy(stated, { ...STANDARD, level: one.level });
  });
}

function isAdmitted(pod: PodContent, suggestion: Suggestion): boolean {
  const { serviceAccountName = 'default' } = pod.spec;
  return usable(suggestion, serviceAccountName).some((policy) => evaluator.violations(pod, policy).length === 0);
}

function podOf(of: Made): PodContent {
  return { annotations: {}, spec: specOf(of) };
}

describe(`what suggestions admit and refuse (SEED=${SEED})`, function () {
  this.timeout(300_000);

  it('admits exactly what the level admits, and in addition only what a workload of the same service account needs', () => {
    const probed = fc
      .array(made, { minLength: 1, maxLength: 5 })
      .chain((workloads) =>
        fc.tuple(fc.constant(workloads), fc.array(fc.oneof(made, near(workloads)), { minLength: 12, maxLength: 12 })),
      );
    let admitted = 0;
    let refused = 0;
    fc.assert(
      fc.property(probed, ([workloads, probes]) => {
        const suggestion = suggestionFor(workloads.map(podOf));
        for (const probe of [...workloads, ...probes]) {
          const expected = mayBeAdmitted(probe, workloads, suggestion.level as 'restricted' | 'baseline');
          const shown = JSON.stringify({ probe, level: suggestion.level, exceptions: suggestion.exceptions });
          assert.equal(isAdmitted(podOf(probe), suggestion), expected, shown);
          if (expected) admitted += 1;
          else refused += 1;
        }
      }),
      { seed: SEED, numRuns: RUNS },
    );
    assert.ok(admitted > RUNS && refused > RUNS, `${admitted} admitted, ${refused} refused`);
  });

  it("if the level's rules admit a pod, the rules of exceptions admit the pod too", () => {
    const pods = fc.array(randomPods().map(contentOf), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(pods, pods, (workloads, all) => {
        const probes = all.filter(isOfRealSize);
        const { level, exceptions } = suggestionFor(workloads);
        for (const { stated } of exceptions) {
          const exception = Object.fromEntries(stated.map(({ path, value }) => [path, value]));
          for (const rule of RULES.filter(({ id }) => !TIGHTER_THAN_LEVEL.includes(id))) {
            const policyChecks = (by: object) => {
              const policy = resolvedBy(by as never, { ...STANDARD, level });
              const checks = policy.checks.filter((one) => one.rule === rule.id);
              return { checks, filledChecks: checks };
            };
            for (const probe of probes) {
              if (evaluator.violations(probe, policyChecks({})).length > 0) continue;
              assert.deepEqual(
                evaluator.violations(probe, policyChecks(exception)),
                [],
                `${rule.id}: ${JSON.stringify(exception)}`,
              );
            }
          }
        }
      }),
      { seed: SEED, numRuns: RUNS },
    );
  });
});

/**
 * An exception with one of these overrides may refuse pods that the level admits. The API has no value for "the type of
 * the Standard and another type". An exception for `spc_t` therefore admits only pods with exactly this type. A pod can
 * set the user root although every container sets another user. The exception for a pod with the user root admits only
 * pods without a root container. Exceptions restrict the paths and drivers of the node. Levels do not restrict these
 * paths and drivers.
 */
const TIGHTER_THAN_LEVEL = ['seLinux', 'runAsUser', 'hostPaths', 'flexVolumeDrivers'];
