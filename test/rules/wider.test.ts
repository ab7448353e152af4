/**
 * Tests that an override which admits more never refuses a pod that was admitted. The pods are random, or have lists
 * that are longer than real lists.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { CapabilityPolicyOverrides } from '../../operator/api/capability-policy.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { PodContent, PodSpec } from '../../operator/model/objects.ts';
import type { Level } from '../../operator/standards/level-version.ts';
import { resolved } from '../support/policies.ts';
import { contentOf, randomPods } from '../support/random-pods.ts';
import { SEED } from '../support/seed.ts';

/** For each override, values in the order from the tightest to the widest. */
const ORDERS: Readonly<Record<string, readonly CapabilityPolicyOverrides[]>> = {
  'capabilities.allowedAdd': [[], ['NET_BIND_SERVICE'], ['NET_BIND_SERVICE', 'NET_RAW'], ['*']].map((allowedAdd) => ({
    capabilities: { allowedAdd },
  })),
  'capabilities.allowedAddInUserNamespace': [[], ['SYS_PTRACE'], ['SYS_PTRACE', 'NET_ADMIN'], ['*']].map(
    (allowedAddInUserNamespace) => ({ capabilities: { allowedAddInUserNamespace } }),
  ),
  'capabilities.requiredDrop': [['ALL'], ['NET_RAW', 'MKNOD'], ['NET_RAW'], []].map((requiredDrop) => ({
    capabilities: { requiredDrop },
  })),
  'capabilities.allowedBounding': [[], ['CHOWN'], ['CHOWN', 'NET_RAW'], ['*']].map((allowedBounding) => ({
    capabilities: { allowedBounding },
  })),
  sysctls: [
    { sysctls: { allowed: [] } },
    {},
    { sysctls: { allowed: ['kernel.shm_rmid_forced', 'net.*'] } },
    { sysctls: { allowed: ['*'], forbidden: ['vm.*'] } },
    { sysctls: { allowed: ['*'] } },
  ],
  supplementalGroups: [
    { supplementalGroups: { rule: 'MayRunAs', ranges: [{ min: 1, max: 2 }] } },
    { supplementalGroups: { rule: 'MayRunAs', ranges: [{ min: 1, max: 2_000 }] } },
    { supplementalGroups: { rule: 'RunAsAny' } },
    {},
  ],
  hostPaths: [
    [],
    [{ pathPrefix: '/a' }],
    [{ pathPrefix: '/a' }, { pathPrefix: '/', readOnly: true }],
    [{ pathPrefix: '/' }],
  ].map((hostPaths) => ({ volumes: ['hostPath', 'emptyDir'], hostPaths })),
  hostPorts: [[], [{ min: 80, max: 90 }], [{ min: 1, max: 65_535 }]].map((hostPorts) => ({ hostPorts })),
  volumes: [['emptyDir'], ['emptyDir', 'projected'], ['emptyDir', 'projected', 'hostPath'], ['*']].map((volumes) => ({
    volumes: volumes as NonNullable<CapabilityPolicyOverrides['volumes']>,
  })),
  appArmor: [
    { appArmor: { types: ['RuntimeDefault'] } },
    { appArmor: { types: ['RuntimeDefault', 'Localhost'], localhostProfiles: ['a'] } },
    {},
    { appArmor: { types: ['RuntimeDefault', 'Localhost', 'Unconfined'] } },
  ],
  unknownFields: [{ unknownFields: 'Refused' }, {}, { unknownFields: 'Allowed' }],
};

const many = <Item>(count: number, item: (index: number) => Item): Item[] =>
  Array.from({ length: count }, (_, i) => item(i));
const SECURE = {
  runAsNonRoot: true,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};
const long = (securityContext: object, fields: object = {}, container: object = {}): PodContent => ({
  annotations: {},
  spec: {
    containers: [{ name: 'app', securityContext: { ...SECURE, ...securityContext }, ...container }],
    ...fields,
  } as unknown as PodSpec,
});
const LONG: readonly PodContent[] = [85, 257, 1_000, 1_025].flatMap((count) => [
  long({ capabilities: { drop: many(count, () => 'ALL') } }),
  long({ capabilities: { drop: ['ALL'], add: many(count, () => 'NET_BIND_SERVICE') } }),
  long({ capabilities: { drop: ['ALL'], add: many(count, () => 'SYS_PTRACE') } }, { hostUsers: false }),
  long({}, { volumes: many(count, (i) => ({ name: `v${i}`, hostPath: { path: '/a/b' } })) }),
  long({}, { volumes: many(count, (i) => ({ name: `v${i}`, emptyDir: {} })) }),
  long({}, { securityContext: { sysctls: many(count, () => ({ name: 'kernel.shm_rmid_forced', value: '1' })) } }),
  long({}, { securityContext: { supplementalGroups: many(count, () => 2) } }),
  long({}, {}, { ports: many(count, () => ({ containerPort: 80 })) }),
]);
const PODS = [...LONG, ...fc.sample(randomPods(), { seed: SEED, numRuns: 60 }).map(contentOf)];

describe('an override that admits more', () => {
  const evaluator = new Evaluator();
  const admitted = (level: Level, overrides: CapabilityPolicyOverrides) => {
    const policy = resolved('p', { level, overrides });
    return new Set(PODS.filter((pod) => evaluator.violations(pod, policy).length === 0));
  };

  for (const [path, order] of Object.entries(ORDERS)) {
    it(`refuses no pod that was admitted: ${path} (seed ${SEED})`, () => {
      for (const level of ['baseline', 'restricted'] as const) {
        const sets = order.map((overrides) => admitted(level, overrides));
        for (const [i, set] of sets.slice(1).entries()) {
          const lost = [...(sets[i] ?? [])].filter((pod) => !set.has(pod));
          assert.deepEqual(lost, [], `${level} ${JSON.stringify([order[i], order[i + 1]])}`);
        }
      }
    });
  }

  it('is tested with pods that some values admit and some refuse', () => {
    const restricted = admitted('restricted', {});
    assert.ok(restricted.size > 10 && PODS.length - restricted.size > 10, `${restricted.size} of ${PODS.length}`);
  });

  it('refuses no pod that the level admits: NET_RAW for restricted', () => {
    const [before, after] = [{}, { capabilities: { allowedAdd: ['NET_BIND_SERVICE', 'NET_RAW'] } }].map((overrides) =>
      admitted('restricted', overrides),
    );
    assert.deepEqual(
      [...(before ?? [])].filter((pod) => !after?.has(pod)),
      [],
    );
  });
});
