/**
 * Tests the Pod Security label of policies. The label must refuse no pod that the policies admit. Each tighter label
 * must refuse a pod that the policies admit. A comparison of policies proves for all pods that the label refuses no
 * admitted pod. A comparison of labels proves which versions of a level are tighter. For each tighter label, the
 * comparison finds an admitted pod that the tighter label refuses. LABELS=500 tests 500 random sets of policies, and the
 * examples of all rules at all versions.
 */
import assert from 'node:assert/strict';
import fc, { type Arbitrary } from 'fast-check';
import type { CapabilityPolicyOverrides, NamedContainers } from '../../operator/api/capability-policy.ts';
import { resolvePolicy } from '../../operator/policy/resolve.ts';
import { RULES } from '../../operator/rules/index.ts';
import type { Rule } from '../../operator/rules/rule.ts';
import { formatVersion, LEVELS, NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { isAcceptedBy, overridesIn } from '../support/examples.ts';
import { policy } from '../support/policies.ts';
import { arbitraryContainers } from '../support/random-policies.ts';
import { labelsOf, mistakesAbout, type Question, Refusals } from './pod-security-labels.ts';
import { FEW_OVERRIDES, type Spec } from './sets.ts';

const RUNS = Number(process.env.LABELS ?? 3);
const IS_LONG = process.env.LABELS !== undefined;
/** A short run tests the same sets each time. A long run draws other sets each time. */
const SEED = Number(process.env.SEED ?? (IS_LONG ? Date.now() % 1_000_000 : 737_990));
/** API server versions that changed a label or a rule. The last version is newer than the known Standards. */
const SERVERS = [30, 32, 33, 34, 35, 36, NEWEST_KNOWN_MINOR, NEWEST_KNOWN_MINOR + 1];
const VERSIONS = IS_LONG ? Array.from({ length: NEWEST_KNOWN_MINOR - 19 }, (_, i) => i + 20) : [24, NEWEST_KNOWN_MINOR];
/** The maximum number of examples of a rule in a short run. */
const FEW = 2;
/** Rules that have many values. A short run uses only one example of a rule with many values. */
const COSTLY = ['capabilities.allowedBounding'];
/**
 * Labels of older versions refuse sysctls that newer versions admit. Only policies without sysctls can therefore have
 * labels of older versions.
 */
const NO_SYSCTLS = { sysctls: { allowed: [] } };

describe(`the Pod Security label (SEED=${SEED})`, () => {
  const refusals = new Refusals();
  after(() => {
    if (IS_LONG) console.log(`    seed ${SEED}: ${JSON.stringify(refusals.answers)}`);
  });

  for (const minor of VERSIONS) {
    const levelVersion = formatVersion(minor);
    it(`is right for the examples of each rule, on each level at ${levelVersion}`, function () {
      this.timeout(IS_LONG ? 3_600_000 : 600_000);
      for (const level of IS_LONG || minor === NEWEST_KNOWN_MINOR ? LEVELS : ['restricted' as const]) {
        for (const overrides of [{}, NO_SYSCTLS, ...examples(minor)]) {
          const spec: Spec = { level, levelVersion, overrides: { ...olderLabels(minor), ...overrides } };
          expectRight({ specs: [spec], server: NEWEST_KNOWN_MINOR }, refusals);
        }
      }
    });
  }

  it('is right for each level without overrides, at each version', function () {
    this.timeout(600_000);
    for (let minor = 0; minor <= NEWEST_KNOWN_MINOR; minor++) {
      for (const level of ['restricted', 'baseline'] as const) {
        expectRight(
          { specs: [{ level, levelVersion: formatVersion(minor), overrides: {} }], server: NEWEST_KNOWN_MINOR },
          refusals,
        );
      }
    }
  });

  it(`is right for ${RUNS} random sets of policies`, function () {
    this.timeout(IS_LONG ? RUNS * 60_000 : 300_000);
    for (const { specs, server } of fc.sample(QUESTIONS, { numRuns: RUNS, seed: SEED })) {
      if (!specs.every((spec) => isResolved(spec, server))) continue;
      expectRight({ specs, server }, refusals);
      // If a policy has defaulting, the test also considers the labels `warn` and `audit`, which are about templates.
      // Templates are not filled in.
      if (specs.some(({ defaulting }) => defaulting === 'Enabled')) {
        expectRight({ specs, server, unfilled: true }, refusals);
      }
    }
  });

  it('is right if a policy admits no pod for Linux beside another policy', () => {
    const seccomp: CapabilityPolicyOverrides['seccomp'] = {
      types: ['OCI'],
      unset: 'RefusedOnPod',
      ociReferences: ['*'],
    };
    const specs: Spec[] = [
      { level: 'baseline', levelVersion: 'v1.22', overrides: { supplementalGroups: { policy: 'Strict' } } },
      { level: 'baseline', levelVersion: 'v1.29', overrides: { hostIPC: true, seccomp } },
    ];
    expectRight({ specs, server: 36 }, refusals);
  });

  it('refuses nothing more on newer API servers', () => {
    for (const [i, server] of SERVERS.entries()) {
      const newer = labelsOf(SERVERS[i + 1] ?? server);
      for (const { level, minors, policy: older } of labelsOf(server)) {
        for (const minor of minors) {
          const same = newer.find((one) => one.level === level && one.minors.includes(minor));
          assert.ok(same, `${level} ${formatVersion(minor)}`);
          assert.equal(refusals.of([older], same), 'nothing', `${level} ${formatVersion(minor)} of v1.${server}`);
        }
      }
    }
  });

  it('if a rule claims a label that is too tight or too loose, the test detects the mistake', () => {
    const rule = RULES.find(({ id }) => id === 'hostPID');
    assert.ok(rule);
    const { podSecurity } = rule;
    const claims = { tooMuch: () => 'restricted', tooLittle: () => 'privileged' } as const;
    const found = Object.values(claims).map((claim, i) => {
      Object.assign(rule, { podSecurity: claim });
      try {
        const specs = [{ level: 'baseline' as const, overrides: { hostPID: i === 0 } }];
        return mistakesAbout({ specs, server: NEWEST_KNOWN_MINOR }, refusals).at(-1);
      } finally {
        Object.assign(rule, { podSecurity });
      }
    });
    assert.match(found[0] ?? '', /^baseline v1\.37 refuses a pod that is admitted: .*"hostPID":true/);
    assert.match(found[1] ?? '', /^baseline v1\.37 refuses nothing/);
  });
});

/** The overrides in the examples of all rules. A short run uses only some of the overrides. */
function examples(minor: number): CapabilityPolicyOverrides[] {
  const rules = RULES.filter((rule) => isAcceptedBy(NEWEST_KNOWN_MINOR, rule));
  if (IS_LONG) return rules.flatMap(overridesIn);
  if (minor === NEWEST_KNOWN_MINOR)
    return rules.flatMap((rule) => overridesIn(rule).slice(0, COSTLY.includes(rule.id) ? 1 : FEW));
  return rules.flatMap((rule) => overridesIn(rule).filter((overrides) => preventsLabels(rule, overrides, minor)));
}

/** Whether the rule prevents at least one label that a policy of the level restricted could have. */
function preventsLabels(rule: Rule, overrides: CapabilityPolicyOverrides, minor: number): boolean {
  const standard = { level: 'restricted', minor, server: NEWEST_KNOWN_MINOR } as const;
  const value = rule.value(overrides, standard);
  return labelsOf(NEWEST_KNOWN_MINOR).some(({ minors: [label = 0] }) => {
    const own = rule.podSecurity(rule.value({}, standard), standard, label);
    return rule.podSecurity(value, standard, label) !== own;
  });
}

/** Returns overrides that permit labels of older versions. */
function olderLabels(minor: number): Spec['overrides'] {
  return minor === NEWEST_KNOWN_MINOR ? {} : NO_SYSCTLS;
}

const NO_ENTRIES = fc.constant<NamedContainers[]>([]);
const ENTRIES = arbitraryContainers(['app'], ['companion']);

const SPECS: Arbitrary<Spec> = fc
  .record({
    spec: FEW_OVERRIDES,
    levelVersion: fc.oneof(fc.constant('latest'), fc.integer({ min: 20, max: NEWEST_KNOWN_MINOR }).map(formatVersion)),
    sysctls: fc.boolean(),
    // A short run has no entries for single containers. Entries for single containers have many values, so a comparison
    // takes up to a minute.
    containers: IS_LONG ? fc.oneof({ weight: 3, arbitrary: NO_ENTRIES }, ENTRIES) : NO_ENTRIES,
  })
  .map(({ spec, levelVersion, sysctls, containers }) => ({
    ...spec,
    levelVersion,
    overrides: { ...(!sysctls && NO_SYSCTLS), ...spec.overrides },
    ...(containers.length > 0 && { containers }),
  }));

const QUESTIONS: Arbitrary<Question> = fc.record({
  specs: fc.array(SPECS, { minLength: 1, maxLength: 2 }),
  server: fc.constantFrom(...SERVERS, NEWEST_KNOWN_MINOR),
});

function isResolved(spec: Spec, server: number): boolean {
  return 'policy' in resolvePolicy(policy('random', spec), server) && !fillsInVain(spec);
}

/**
 * Whether the policy refuses each pod that it has filled in. No single rule of the policy can detect that the policy
 * refuses each filled pod.
 */
function fillsInVain({
  defaulting,
  overrides: { runtimeClasses: { allowed = ['*'], default: filled } = {} } = {},
}: Spec) {
  return defaulting === 'Enabled' && filled !== undefined && !allowed.includes('*') && !allowed.includes(filled);
}

function expectRight(question: Question, refusals: Refusals): void {
  assert.deepEqual(mistakesAbout(question, refusals), [], JSON.stringify(question));
}
