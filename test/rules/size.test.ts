/** Tests the bounds for the lists of a pod, as the operator evaluates them and as rendered programs evaluate them. */
import assert from 'node:assert/strict';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { PodSpec } from '../../operator/model/objects.ts';
import { parseVersion } from '../../operator/standards/level-version.ts';
import { offeredSince } from '../../operator/standards/server-features.ts';
import { AdmissionText, compiledPrograms, programText, type Request } from '../compile/admission-text.ts';
import { policy, resolved } from '../support/policies.ts';

const many = <Item>(count: number, item: (index: number) => Item): Item[] =>
  Array.from({ length: count }, (_, i) => item(i));
const containers = (count: number, fields: object = {}) => many(count, (i) => ({ name: `c${i}`, ...fields }));
const names = (list: 'add' | 'drop', count: number) => ({
  securityContext: { capabilities: { [list]: many(count, () => 'CHOWN') } },
});
const projected = (count: number) => ({ name: 'v', projected: { sources: many(count, () => ({ secret: {} })) } });

/** For each bound: the maximum, the pod with a number of items, and the message about a pod with more items. */
const BOUNDS: Readonly<
  Record<
    string,
    readonly [most: number, pod: (count: number) => object, message: string, length?: (count: number) => string]
  >
> = {
  'init and other containers': [
    1_024,
    (count) => ({
      initContainers: containers(10),
      containers: containers(count - 10),
    }),
    'pod must not have more than 1024 containers',
  ],
  volumes: [
    1_024,
    (count) => ({ containers: containers(1), volumes: many(count, (i) => ({ name: `v${i}`, emptyDir: {} })) }),
    'pod must not have more than 1024 volumes',
  ],
  sysctls: [
    1_024,
    (count) => ({
      containers: containers(1),
      securityContext: { sysctls: many(count, () => ({ name: 'kernel.shm_rmid_forced', value: '1' })) },
    }),
    'pod must not have more than 1024 sysctls',
  ],
  groups: [
    1_024,
    (count) => ({ containers: containers(1), securityContext: { supplementalGroups: many(count, () => 7) } }),
    'pod must not have more than 1024 supplemental groups',
  ],
  'ports of all containers': [
    1_024,
    (count) => ({ containers: containers(count / 8, { ports: many(8, () => ({ containerPort: 1 })) }) }),
    'pod must not have more than 1024 ports',
  ],
  'mounts of all containers': [
    10_000,
    (count) => ({ containers: containers(16, { volumeMounts: many(count / 16, () => ({ name: 'v' })) }) }),
    'pod must not have more than 10000 mounts',
  ],
  'sources of all projected volumes': [
    1_024,
    (count) => ({ containers: containers(1), volumes: [projected(count - 10), projected(10)] }),
    'pod must not have more than 1024 sources of projected volumes',
  ],
  ...Object.fromEntries(
    (['add', 'drop'] as const).map((list) => [
      `names in ${list} of one container`,
      [
        256,
        (count: number) => ({
          containers: [...containers(2, names(list, 256)), { name: 'app', ...names(list, count) }],
        }),
        `pod must not list more than 256 names in securityContext.capabilities.${list} of a container`,
        (count: number) => ` (container app lists ${count})`,
      ] as const,
    ]),
  ),
};

type Spec = Partial<CapabilityPolicySpec>;
const baseline: Spec = { level: 'baseline', overrides: { capabilities: { allowedAdd: ['*'] } } };
const WITHOUT_VARIABLES = (parseVersion(offeredSince('admissionVariables')) ?? 0) - 1;

function messages(spec: Spec, pod: object): string[] {
  return new Evaluator()
    .violations({ annotations: {}, spec: pod as PodSpec }, resolved('p', spec))
    .map(({ rule, message }) => `${rule}: ${message}`);
}

describe('the bounds for the size of a pod', () => {
  for (const [title, [most, pod, limit, length = (count: number) => ` (it has ${count})`]] of Object.entries(BOUNDS)) {
    const [largest, larger] = [pod(most), pod(most + 16)];
    const message = `${limit}${length(most + 16)}`;

    it(`the operator admits ${most} ${title}, and refuses more`, () => {
      assert.deepEqual(messages(baseline, largest), []);
      assert.deepEqual(messages(baseline, larger), [`size: ${message}`]);
    });

    for (const [server, oldestServer] of [
      ['', undefined],
      [' without variables', WITHOUT_VARIABLES],
    ] as const) {
      it(`a program${server} admits ${most} ${title}, and refuses more`, () => {
        const options = oldestServer === undefined ? {} : { oldestServer };
        const text = programText([policy('p', { ...baseline, namespaceSelector: {} })], options);
        assert.equal(text.refusal(requestFor(largest)), undefined);
        assert.equal(text.refusal(requestFor(larger)), `CapabilityPolicy p: size: ${message}`);
      });
    }

    it(`a policy that restricts nothing admits any number of ${title}, even beside another policy`, () => {
      assert.deepEqual(messages({ level: 'privileged' }, larger), []);
      const open = policy('open', { level: 'privileged', namespaceSelector: {} });
      const text = programText([policy('p', { ...baseline, namespaceSelector: {} }), open]);
      assert.equal(text.refusal(requestFor(larger)), undefined);
    });

    it(`the program for templates counts ${title}, too`, () => {
      const text = programText([policy('p', { ...baseline, namespaceSelector: {} })]);
      const object = { spec: { template: { spec: larger } } };
      assert.equal(text.refusal({ resource: 'deployments', object }), `CapabilityPolicy p: size: ${message}`);
    });
  }

  it('each volume claim template of a StatefulSet counts as a volume', () => {
    const text = programText([policy('p', { ...baseline, namespaceSelector: {} })]);
    const object = (claims: number) => ({
      spec: {
        volumeClaimTemplates: many(claims, (i) => ({ metadata: { name: `claim${i}` } })),
        template: { spec: { containers: containers(1), volumes: many(500, (i) => ({ name: `v${i}`, emptyDir: {} })) } },
      },
    });
    assert.equal(text.refusal({ resource: 'statefulsets', object: object(524) }), undefined);
    assert.match(
      text.refusal({ resource: 'statefulsets', object: object(525) }) ?? '',
      /more than 1024 volumes \(it has 1025\)$/,
    );
  });

  it('no container can be added to a pod that is too large', () => {
    const text = programText([policy('p', { ...baseline, namespaceSelector: {} })]);
    const oldObject = { spec: { containers: containers(1_024) } };
    const object = { spec: { ...oldObject.spec, ephemeralContainers: [{ name: 'debug' }] } };
    const request = { resource: 'pods', subResource: 'ephemeralcontainers', object, oldObject };
    assert.match(
      text.refusal(request) ?? '',
      /^CapabilityPolicy p: size: pod must not have more than 1024 containers \(it has 1025\)$/,
    );
  });

  it('the program that warns about unknown fields ignores a pod that is too large', () => {
    const policies = [policy('p', { ...baseline, namespaceSelector: {} })];
    const [program] = compiledPrograms(policies, 'UnknownFields', { unknownPodFields: ['spec.fieldOfTomorrow'] });
    assert.ok(program);
    const text = new AdmissionText(program.policy);
    const unknown = (count: number) => ({ fieldOfTomorrow: true, containers: containers(count) });
    assert.match(text.refusal(requestFor(unknown(1_024))) ?? '', /fieldOfTomorrow/);
    assert.equal(text.refusal(requestFor(unknown(1_025))), undefined);
  });

  it('defaulting fills in nothing in a pod that is too large', () => {
    const spec: Spec = {
      level: 'privileged',
      defaulting: 'Enabled',
      overrides: { capabilities: { requiredDrop: ['NET_RAW'] } },
    };
    const text = programText([policy('p', { ...spec, namespaceSelector: {} })], { kind: 'Defaulting' });
    assert.deepEqual(text.run('filler', requestFor({ containers: containers(1_025) })), []);
    assert.equal((text.run('filler', requestFor({ containers: containers(1_024) })) as unknown[]).length, 1);
  });
});

function requestFor(spec: object): Request {
  return { resource: 'pods', object: { spec } };
}
