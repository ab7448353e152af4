/** Tests which grants a policy has, and which of the grants pods need. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { TooExpensive } from '../../engine/cel/costs.ts';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { examplePod } from '../../operator/evaluate/example-pods.ts';
import { grantsOf, keyOf, withoutGrants } from '../../operator/evaluate/grants.ts';
import { neededGrants } from '../../operator/evaluate/needs.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import { type ResolvedPolicy, resolvePolicy } from '../../operator/policy/resolve.ts';
import { RULES } from '../../operator/rules/index.ts';
import { LEVELS } from '../../operator/standards/level-version.ts';
import { adding, app, OWN_USERS, pod, secured } from '../support/pods.ts';
import { policyManifest, resolved } from '../support/policies.ts';
import { arbitraryOverrides, arbitraryPod, arbitraryPolicy, policyOf } from '../support/random-policies.ts';
import { SEED } from '../support/seed.ts';

/** Random pods, and the examples of the rules. The examples comply more often. */
const somePod = fc.oneof(
  arbitraryPod,
  fc.constantFrom(...RULES.flatMap(({ examples }) => examples.flatMap(({ admits }) => admits.map(examplePod)))),
);

/**
 * Random policies with one override. Random pods comply more often with policies that have one override than with
 * policies that have many overrides.
 */
const simplePolicy = fc
  .record({
    level: fc.constantFrom(...LEVELS),
    overrides: arbitraryOverrides,
    containers: fc.boolean(),
    field: fc.nat(),
  })
  .map(({ level, overrides, containers, field }) => {
    const fields = Object.entries(overrides);
    const stated = Object.fromEntries(fields.slice(field % Math.max(fields.length, 1)).slice(0, 1));
    const isForPod = !RULES.some(({ id, ofContainer }) => id === Object.keys(stated)[0] && ofContainer);
    return containers && !isForPod
      ? policyOf(level, 'latest', {}, [{ names: ['app'], overrides: stated }])
      : policyOf(level, 'latest', stated);
  });

type Spec = Partial<CapabilityPolicySpec>;
type Overrides = CapabilityPolicySpec['overrides'];

const evaluator = new Evaluator();
const grants = (policy: ResolvedPolicy) => grantsOf(policy).map(keyOf);
const needs = (policy: ResolvedPolicy, content: PodContent) => [...neededGrants(content, policy, false, evaluator)];

function reduced(policy: ResolvedPolicy, keys: readonly string[]): ResolvedPolicy {
  const spec = withoutGrants(policy.spec, new Set(keys));
  const resolution = resolvePolicy(policyManifest({ name: policy.name }, spec), policy.standard.server);
  assert.ok('policy' in resolution, JSON.stringify(resolution));
  return resolution.policy;
}

describe('the grants of a policy', () => {
  const at = (path: string, ...entries: string[]) => entries.map((entry) => `spec.overrides.${path} ${entry}`);
  const ROWS: Readonly<Record<string, readonly [spec: Spec, grants: readonly string[]]>> = {
    'without overrides: none': [{}, []],
    "entries beyond the level's own": [
      { overrides: { capabilities: { allowedAdd: ['NET_BIND_SERVICE', 'NET_RAW'] } } },
      at('capabilities.allowedAdd', 'NET_RAW'),
    ],
    'the wildcard': [{ overrides: { capabilities: { allowedAdd: ['*'] } } }, at('capabilities.allowedAdd', '*')],
    'entries that are objects, as JSON': [
      { overrides: { hostPaths: [{ pathPrefix: '/srv' }], hostPorts: [{ min: 80, max: 81 }] } },
      [...at('hostPaths', '{"pathPrefix":"/srv"}'), ...at('hostPorts', '{"max":81,"min":80}')],
    ],
    'a value that is looser than the level': [
      { overrides: { hostNetwork: true, runAsNonRoot: false, hostPID: false } },
      ['spec.overrides.hostNetwork', 'spec.overrides.runAsNonRoot'],
    ],
    'an empty list of what must be dropped': [
      { overrides: { capabilities: { requiredDrop: [] } } },
      ['spec.overrides.capabilities.requiredDrop'],
    ],
    'no value that the level has, too': [{ level: 'privileged', overrides: { hostNetwork: true } }, []],
    'no value that only tightens': [
      {
        level: 'baseline',
        overrides: {
          capabilities: { requiredDrop: ['NET_RAW'] },
          readOnlyRootFilesystem: true,
          sysctls: { forbidden: ['kernel.*'] },
        },
      },
      [],
    ],
    'no value whose absence changes what defaulting fills in': [
      {
        mode: 'Enforce',
        defaulting: 'Enabled',
        overrides: {
          capabilities: { defaultAdd: ['NET_BIND_SERVICE'] },
          seccomp: { default: { type: 'RuntimeDefault' } },
        },
      },
      [],
    ],
    'entries of spec.containers, and such an entry as a whole': [
      {
        overrides: { hostIPC: true },
        containers: [
          { names: ['a'], overrides: { readOnlyRootFilesystem: true } },
          { names: ['b'], overrides: { capabilities: { allowedAdd: ['NET_BIND_SERVICE', 'NET_RAW'] } } },
        ],
      },
      ['spec.overrides.hostIPC', 'spec.containers[1].overrides.capabilities.allowedAdd NET_RAW', 'spec.containers[1]'],
    ],
    'an entry of spec.containers, but not as a whole if it also restricts': [
      {
        containers: [
          { names: ['a'], overrides: { capabilities: { allowedAdd: ['NET_RAW'] } } },
          { names: ['b'], overrides: { runAsUser: { rule: 'RunAsAny' }, readOnlyRootFilesystem: true } },
        ],
      },
      ['spec.containers[0].overrides.capabilities.allowedAdd NET_RAW', 'spec.containers[1].overrides.runAsUser'],
    ],
    'an entry of spec.containers, but not as a whole beside another entry for the same containers': [
      {
        containers: [
          { names: ['a'], images: ['x/*'], overrides: { runAsUser: { rule: 'RunAsAny' } } },
          { names: ['a'], images: ['x/y'], overrides: { readOnlyRootFilesystem: true } },
        ],
      },
      ['spec.containers[0].overrides.runAsUser'],
    ],
    'a path that is mounted read-only': [
      { overrides: { hostPaths: [{ pathPrefix: '/srv', readOnly: true }, { pathPrefix: '/tmp' }] } },
      at('hostPaths', '{"pathPrefix":"/srv","readOnly":true}', '{"pathPrefix":"/tmp"}'),
    ],
    'a strategy and its ranges': [
      {
        overrides: { runAsUser: { rule: 'RunAsAny' }, runAsGroup: { rule: 'MayRunAs', ranges: [{ min: 1, max: 2 }] } },
      },
      ['spec.overrides.runAsUser', 'spec.overrides.runAsGroup.ranges {"max":2,"min":1}'],
    ],
  };
  for (const [title, [spec, expected]] of Object.entries(ROWS)) {
    it(title, () => assert.deepEqual(grants(resolved('p', spec)), expected));
  }

  it('the examples of the rules show which lists admit values, and which lists restrict values', () => {
    const lists = RULES.flatMap(({ examples }) => examples.flatMap(({ overrides }) => listsIn(overrides)));
    const found = lists.filter(([path, overrides]) =>
      grants(resolved('p', { level: 'privileged', overrides: { privileged: false, ...overrides } })).some((key) =>
        key.startsWith(`spec.overrides.${path} `),
      ),
    );
    const names = (all: typeof lists) => [...new Set(all.map(([path]) => path))].sort();
    const restricting = ['capabilities.requiredDrop', 'sysctls.forbidden'];
    // The level privileged admits all types of profiles. The lists of types therefore grant nothing beyond the level.
    const ofLevel = ['appArmor.types', 'seccomp.types'];
    assert.deepEqual(
      names(lists).filter((path) => !names(found).includes(path)),
      [...ofLevel, ...restricting].sort(),
    );
  });

  function listsIn(overrides: NonNullable<Overrides>, path: readonly string[] = []): (readonly [string, Overrides])[] {
    const inner = path.reduce<unknown>((value, field) => (value as Record<string, unknown>)[field], overrides);
    if (Array.isArray(inner)) return inner.length > 0 ? [[path.join('.'), overrides]] : [];
    if (typeof inner !== 'object' || inner === null) return [];
    return Object.keys(inner).flatMap((field) => listsIn(overrides, [...path, field]));
  }

  it(`admit more, so that a policy without a grant admits no pod that it refused (seed ${SEED})`, () => {
    const seen = { grants: 0, tighter: 0 };
    fc.assert(
      fc.property(simplePolicy, fc.array(somePod, { minLength: 20, maxLength: 20 }), (policy, pods) => {
        const isCompliant = (one: ResolvedPolicy, content: PodContent) =>
          evaluator.violations(content, one).length === 0;
        for (const key of grants(policy).filter((one) => !/^spec\.containers\[\d+\]$/.test(one))) {
          seen.grants++;
          const without = reduced(policy, [key]);
          for (const content of pods) {
            if (isCompliant(policy, content) && !isCompliant(without, content)) seen.tighter++;
            assert.ok(isCompliant(policy, content) || !isCompliant(without, content), key);
          }
        }
      }),
      { seed: SEED, numRuns: 200 },
    );
    assert.ok(seen.grants > 50 && seen.tighter > 5, JSON.stringify(seen));
  });
});

describe('the grants that a pod needs', () => {
  const policy = (overrides: Overrides, rest: Spec = {}) =>
    resolved('p', { level: 'baseline', overrides, ...rest } as Spec);
  const raw = policy({ capabilities: { allowedAdd: ['NET_RAW', 'SYS_TIME'] }, hostNetwork: true });
  const [NET_RAW, SYS_TIME] = ['NET_RAW', 'SYS_TIME'].map((one) => `spec.overrides.capabilities.allowedAdd ${one}`);
  const ROWS: Readonly<Record<string, readonly [ResolvedPolicy, PodContent, readonly (string | undefined)[]]>> = {
    'none of a pod that the level admits': [raw, pod(), []],
    'the entry that it uses': [raw, adding(['NET_RAW']), [NET_RAW]],
    'each entry and value that it uses': [
      raw,
      adding(['NET_RAW', 'SYS_TIME'], { hostNetwork: true }),
      [NET_RAW, SYS_TIME, 'spec.overrides.hostNetwork'],
    ],
    'also if the pod violates the policy otherwise': [raw, adding(['NET_RAW'], { hostPID: true }), [NET_RAW]],
    'also if the same container violates the same rule by another entry': [
      raw,
      adding(['NET_RAW', 'SYS_ADMIN']),
      [NET_RAW],
    ],
    'each of two grants of which one is enough': [
      policy({ capabilities: { allowedAdd: ['NET_RAW'], allowedAddInUserNamespace: ['NET_RAW'] } }),
      adding(['NET_RAW'], OWN_USERS),
      [NET_RAW, 'spec.overrides.capabilities.allowedAddInUserNamespace NET_RAW'],
    ],
    'an entry of containers by the name of the container': [
      policy({}, { containers: [{ names: ['app'], overrides: { capabilities: { allowedAdd: ['NET_RAW'] } } }] }),
      adding(['NET_RAW']),
      ['spec.containers[0].overrides.capabilities.allowedAdd NET_RAW'],
    ],
    'none of an entry for other containers': [
      policy({}, { containers: [{ names: ['other'], overrides: { capabilities: { allowedAdd: ['NET_RAW'] } } }] }),
      adding(['NET_RAW']),
      [],
    ],
    'a value of a field that the pod leaves unset': [
      resolved('p', { overrides: { allowPrivilegeEscalation: true } }),
      app(secured({})),
      ['spec.overrides.allowPrivilegeEscalation'],
    ],
  };
  for (const [title, [one, content, expected]] of Object.entries(ROWS)) {
    it(title, () => assert.deepEqual(needs(one, content), expected));
  }

  for (const { id, examples } of RULES) {
    it(`${id}: without the others, each example stays admitted`, () => {
      for (const { overrides, level = 'restricted', admits } of examples) {
        const one = resolved('p', { level, overrides });
        for (const content of admits.map(examplePod)) {
          const keys = grants(one).filter((key) => !needs(one, content).includes(key));
          const [before, after] = [one, reduced(one, keys)].map((by) => evaluator.violations(content, by).length);
          assert.equal(after, before, JSON.stringify([overrides, content.spec, keys]));
        }
      }
    });
  }

  it(`all others can be removed together: no pod violates that complied (seed ${SEED})`, () => {
    const seen = { removed: 0, kept: 0 };
    fc.assert(
      fc.property(
        fc.oneof(arbitraryPolicy, simplePolicy),
        fc.array(somePod, { minLength: 6, maxLength: 6 }),
        (policy, pods) => {
          const needed = new Set(pods.flatMap((content) => needs(policy, content)));
          const keys = grants(policy).filter((key) => !needed.has(key));
          seen.removed += keys.length;
          seen.kept += needed.size;
          const without = reduced(policy, keys);
          for (const content of pods) {
            if (evaluator.violations(content, policy).length > 0) continue;
            assert.deepEqual(evaluator.violations(content, without), [], JSON.stringify([policy.spec, content, keys]));
          }
        },
      ),
      { seed: SEED, numRuns: 80 },
    );
    assert.ok(Math.min(...Object.values(seen)) > 20, JSON.stringify(seen));
  });

  it('are looked for once for equal pods', () => {
    const content = adding(['NET_RAW']);
    Object.freeze(content.spec);
    const twice = [content, { ...content }].map((one) => neededGrants(one, raw, false, evaluator));
    assert.equal(twice[0], twice[1]);
  });

  it('a pod that is too expensive to evaluate counts as a pod that needs all grants', () => {
    const tooExpensive: Pick<Evaluator, 'violations'> = {
      violations(content, checks) {
        if (content === large) throw new TooExpensive();
        return evaluator.violations(content, checks);
      },
    };
    const large = adding(['NET_RAW']);
    assert.deepEqual([...neededGrants(large, raw, false, tooExpensive as Evaluator)], grants(raw));
  });
});
