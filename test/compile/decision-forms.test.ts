/** API servers below Kubernetes 1.36 get the same decision without variables, because variables crash them. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { CapabilityPolicySpec, CompletePolicy } from '../../operator/api/capability-policy.ts';
import { compile } from '../../operator/compile/compile.ts';
import { OVERRIDDEN, plain } from '../differential/cases.ts';
import { policy } from '../support/policies.ts';
import { randomEphemeralContainers, randomPods } from '../support/random-pods.ts';
import { AdmissionText } from './admission-text.ts';

const [OLDER, NEWER] = [35, 36];
const CASES = [plain('baseline', 30), plain('restricted', 30), plain('restricted', 35), ...OVERRIDDEN];

type Stated = Partial<CapabilityPolicySpec>;

describe('a decision for API servers without variables', () => {
  it('is the same as with them, message included', () => {
    const candidates = fc.array(
      fc.record({ compared: fc.constantFrom(...CASES), priority: fc.constantFrom(0, 0, 10) }),
      {
        minLength: 1,
        maxLength: 4,
      },
    );
    const namespaces = fc.constantFrom<Record<string, string>>({ team: 'net' }, { team: 'web' }, {});
    const seen = { admitted: 0, refused: 0 };
    const property = fc.property(
      candidates,
      randomPods(),
      fc.option(randomEphemeralContainers()),
      namespaces,
      (chosen, pod, added, namespaceLabels) => {
        const policies = chosen.map(({ compared, priority }, i) =>
          policy(`p${i}`, {
            ...compared.policy.spec,
            levelVersion: compared.policy.spec.levelVersion ?? 'v1.35',
            mode: 'Enforce',
            priority,
            namespaceSelector: i % 2 === 0 ? {} : { matchLabels: { team: 'net' } },
          }),
        );
        const [older, newer] = [OLDER, NEWER].map((server) => new AdmissionText(policies, 'p0', server));
        const object = added ? { ...pod, spec: { ...pod.spec, ephemeralContainers: [added] } } : pod;
        const subResource = added ? { subResource: 'ephemeralcontainers', oldObject: pod } : {};
        const request = { resource: 'pods', object, namespaceLabels, ...subResource };
        const refusal = newer?.refusal(request);
        const isRefused = refusal !== undefined;
        const fixed = isRefused ? 'CapabilityPolicy p0 does not admit this pod' : undefined;
        assert.equal(older?.refusal(request), older?.hasReasons ? refusal : fixed);
        assert.equal(newer?.hasReasons, true);
        seen[isRefused ? 'refused' : 'admitted']++;
      },
    );
    fc.assert(property, { numRuns: 300 });
    assert.ok(Math.min(...Object.values(seen)) > 20, JSON.stringify(seen));
  });

  it('refuses the same with a fixed message when the reasons would be longer than an expression may be', () => {
    const names = ['labels', 'unconfined-containers', 'tight-containers', 'restricted-1-30'];
    const chosen = names.map((name) => CASES.find((one) => one.name === name));
    const policies = chosen.map((compared, i) => {
      assert.ok(compared);
      const namespaceSelector = i % 2 === 0 ? {} : { matchLabels: { team: 'net' } };
      return policy(`p${i}`, { ...compared.policy.spec, mode: 'Enforce', namespaceSelector });
    });
    const [older, newer] = [OLDER, NEWER].map((server) => new AdmissionText(policies, 'p0', server));
    assert.deepEqual([older?.hasReasons, newer?.hasReasons], [false, true]);
    const object = { metadata: {}, spec: { hostNetwork: true, containers: [{ name: 'app', image: 'app' }] } };
    const request = { resource: 'pods', object, namespaceLabels: { team: 'net' } };
    assert.equal(older?.refusal(request), 'CapabilityPolicy p0 does not admit this pod');
    assert.match(String(newer?.refusal(request)), /hostNetwork/);
  });

  it('has no variables, and neither has the guard', () => {
    const policies = [restricted('one'), restricted('other', { priority: 5, usableBy: 'Bindings' })];
    assert.equal(specsOf(policies, OLDER).filter(({ variables }) => variables !== undefined).length, 0);
    assert.ok(specsOf(policies, NEWER).every(({ variables }) => variables !== undefined));
  });

  it('checks use in one expression for one policy, and in a match condition each for several', () => {
    const asking = (count: number) =>
      Array.from({ length: count }, (_, i) => restricted(`asks-${i}`, { usableBy: 'Bindings' }));
    const conditions = (policies: readonly CompletePolicy[]) =>
      specsOf(policies, OLDER)
        .flatMap(({ matchConditions = [] }) => matchConditions)
        .filter(({ expression }) => expression.includes('check("use")')).length;
    assert.equal(conditions([restricted('all'), ...asking(1)]), 0);
    assert.equal(conditions([restricted('all'), ...asking(2)]), 2);
    assert.equal(conditions(asking(3)), 3);
  });

  const net = { namespaceSelector: { matchLabels: { team: 'net' } } };
  const cases: [title: string, policies: CompletePolicy[], refused: string[]][] = [
    ['four peers that ask for use', [1, 2, 3, 4].map((i) => restricted(`p${i}`, { usableBy: 'Bindings' })), ['p4']],
    [
      'two of different selectors that ask for use',
      [restricted('a', { usableBy: 'Bindings' }), restricted('b', { ...net, usableBy: 'Bindings' })],
      ['b'],
    ],
    [
      'two of different priorities that ask for use',
      [restricted('a', { usableBy: 'Bindings' }), restricted('b', { priority: 1, usableBy: 'Bindings' })],
      ['b'],
    ],
    [
      'one that asks for use beside another selector',
      [restricted('a'), restricted('b', { ...net, usableBy: 'Bindings' })],
      [],
    ],
  ];
  for (const [title, policies, refused] of cases) {
    it(`${refused.length > 0 ? 'is refused for' : 'is had for'} ${title}, and had on newer servers`, () => {
      const { refusals } = compile(policies, options(OLDER));
      assert.deepEqual([...refusals.keys()], refused);
      for (const { reason, message } of refusals.values()) {
        assert.equal(reason, 'TooExpensive');
        assert.match(message, /an API server below v1\.36 .*, or upgrade every API server to v1\.36\. They are /);
      }
      assert.equal(compile(policies, options(NEWER)).refusals.size, 0);
    });
  }

  it('has expressions that the API server accepts, however many policies decide together', () => {
    const policies = Array.from({ length: 40 }, (_, i) =>
      restricted(`p${i}`, { overrides: { hostPorts: [{ min: i, max: i + 1 }] } }),
    );
    const { refusals } = compile(policies, options(OLDER));
    assert.ok(refusals.size > 0 && refusals.size < 30, `${refusals.size} refused`);
    for (const { validations = [], matchConditions = [] } of specsOf(policies, OLDER)) {
      const texts = [...validations, ...matchConditions].flatMap(({ expression, messageExpression = '' }) => [
        expression,
        messageExpression,
      ]);
      assert.ok(Math.max(...texts.map((text) => text.length)) <= 100_000);
    }
  });
});

interface Text {
  readonly expression: string;
  readonly messageExpression?: string;
}

interface Spec {
  readonly variables?: unknown;
  readonly matchConditions?: readonly Text[];
  readonly validations?: readonly Text[];
}

function specsOf(policies: readonly CompletePolicy[], server: number): Spec[] {
  const { rendered, guards } = compile(policies, options(server));
  return [...rendered.values(), ...guards].flatMap(({ admission }) =>
    admission.objects.filter(({ kind }) => kind === 'ValidatingAdmissionPolicy').map(({ spec }) => spec as Spec),
  );
}

function options(oldestServer: number) {
  return { oldestServer, operatorNamespace: 'operator', excludedNamespaces: ['kube-system'] };
}

function restricted(name: string, rest: Stated = {}): CompletePolicy {
  return policy(name, { level: 'restricted', levelVersion: 'v1.30', mode: 'Enforce', namespaceSelector: {}, ...rest });
}
