/**
 * Tests policies of which each part is as large as the CRD permits. A policy that is too large is not accepted, and no
 * policy keeps another policy from coming into force.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type {
  CapabilityPolicyOverrides,
  CapabilityPolicySpec,
  Condition,
} from '../../operator/api/capability-policy.ts';
import { CAPABILITIES } from '../../operator/standards/capabilities.ts';
import { inBatches } from '../support/batches.ts';
import { ADMITTED, conditionOf, eventually, useCluster } from '../support/harness.ts';
import { describeIfOffered } from '../support/needs.ts';
import { baselinePod, restrictedPod } from '../support/pod-manifests.ts';
import { POLICIES } from '../support/rendered.ts';
import { SEED } from '../support/seed.ts';

type Part = Partial<CapabilityPolicySpec>;

const AT_ONCE = 8;

/** Different texts of the given length. */
function texts(count: number, length: number, prefix = '', filler = 'x'): string[] {
  return Array.from({ length: count }, (_, i) => {
    const number = String(i).padStart(3, '0');
    return prefix + filler.repeat(length - prefix.length - number.length) + number;
  });
}

const ranges = Array.from({ length: 32 }, (_, i) => ({ min: 2_000_000_000 + 10 * i, max: 2_000_000_005 + 10 * i }));
const key = (i: number) => `${'a.'.repeat(126)}b/${'k'.repeat(60)}${String(i).padStart(3, '0')}`;

/** The overrides that an entry of `spec.containers` may have, too. */
const OF_CONTAINERS: Readonly<Record<string, CapabilityPolicyOverrides>> = {
  capabilities: {
    capabilities: {
      allowedAdd: CAPABILITIES.filter((_, i) => i % 3 === 0),
      allowedAddInUserNamespace: CAPABILITIES.filter((_, i) => i % 3 === 1),
      requiredDrop: CAPABILITIES.filter((_, i) => i % 3 === 2),
      allowedBounding: [...CAPABILITIES],
    },
  },
  hostPorts: { hostPorts: Array.from({ length: 32 }, (_, i) => ({ min: 60_000 + 10 * i, max: 60_005 + 10 * i })) },
  runAsUser: { runAsUser: { rule: 'MustRunAs', ranges } },
  runAsGroup: { runAsGroup: { rule: 'MustRunAs', ranges } },
  seccomp: { seccomp: { types: ['Localhost'], localhostProfiles: texts(32, 253, 'profiles/', '"') } },
  appArmor: { appArmor: { types: ['Localhost'], localhostProfiles: texts(32, 253, 'profile-') } },
  seLinux: {
    seLinux: {
      rule: 'MustRunAs',
      options: { user: 'u'.repeat(253), role: 'r'.repeat(253), type: 't'.repeat(253), level: 'l'.repeat(253) },
    },
  },
};

const OVERRIDES: Readonly<Record<string, CapabilityPolicyOverrides>> = {
  ...OF_CONTAINERS,
  hostPaths: {
    volumes: ['hostPath'],
    hostPaths: texts(32, 512, '/', '"').map((pathPrefix) => ({ pathPrefix, readOnly: true })),
  },
  'hostPaths of other scripts': {
    volumes: ['hostPath'],
    hostPaths: texts(32, 512, '/', 'ß').map((pathPrefix) => ({ pathPrefix })),
  },
  flexVolumeDrivers: { volumes: ['flexVolume'], flexVolumeDrivers: texts(32, 253, 'example.com/') },
  csiDrivers: { volumes: ['csi'], csiDrivers: texts(32, 63) },
  supplementalGroups: { supplementalGroups: { rule: 'MustRunAs', ranges, policy: 'Strict' } },
  fsGroup: { fsGroup: { rule: 'MustRunAs', ranges } },
  sysctls: { sysctls: { allowed: texts(64, 253, 'net.'), forbidden: texts(64, 253, 'kernel.') } },
  runtimeClasses: { runtimeClasses: { allowed: texts(32, 253) } },
  allowedUnknownFields: {
    unknownFields: 'Refused',
    allowedUnknownFields: texts(64, 253, 'spec.'),
  },
};

const entries = (overrides: CapabilityPolicyOverrides): Part => ({
  containers: texts(16, 60).map((name, i) => ({
    names: texts(16, 63, `${name.slice(-3)}-`),
    images: texts(16, 255, `registry.example/${i}/`),
    overrides: overrides as NonNullable<CapabilityPolicySpec['containers']>[number]['overrides'],
  })),
});

/** Parts of a spec. Each function gets the labels that select the namespaces of the policy. */
const PARTS: Readonly<Record<string, (own: Readonly<Record<string, string>>) => Part>> = {
  labels: (own) => ({
    namespaceSelector: {
      matchLabels: { ...own, ...Object.fromEntries(Array.from({ length: 15 }, (_, i) => [key(i), 'v'.repeat(63)])) },
    },
  }),
  expressions: (matchLabels) => ({
    namespaceSelector: {
      matchLabels,
      matchExpressions: Array.from({ length: 16 }, (_, i) => ({
        key: key(i),
        operator: i % 2 === 0 ? ('NotIn' as const) : ('In' as const),
        values: texts(100, 63),
      })),
    },
  }),
  names: (matchLabels) => ({
    namespaceSelector: {
      matchLabels,
      matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: texts(100, 63) }],
    },
  }),
  subjects: () => ({
    usableBy: 'Subjects',
    subjects: texts(20, 253).map((name) => ({ kind: 'ServiceAccount', name, namespace: 'n'.repeat(63) })),
  }),
  ...Object.fromEntries(Object.entries(OVERRIDES).map(([name, overrides]) => [name, () => ({ overrides })])),
  ...Object.fromEntries(
    Object.entries(OF_CONTAINERS).map(([name, overrides]) => [`containers with ${name}`, () => entries(overrides)]),
  ),
  'containers with everything': () => entries(Object.assign({}, ...Object.values(OF_CONTAINERS))),
  rollout: () => ({ rollout: { soak: '99999h', namespacesPerHour: 100_000 } }),
  defaulting: () => ({ defaulting: 'Enabled' }),
  text: () => ({ reason: '"'.repeat(512), expires: '9999-12-31T23:59:59Z', priority: 2_147_483_647 }),
};

/** Some parts together. Overrides of several parts are merged. */
function together(names: readonly string[], own: Readonly<Record<string, string>>): Part {
  const parts = names.map((name) => PARTS[name]?.(own) ?? {});
  const overrides = Object.assign({}, ...parts.map((part) => part.overrides));
  return { ...Object.assign({}, ...parts), ...(Object.keys(overrides).length > 0 && { overrides }) };
}

describeIfOffered('admissionVariables', 'policies as large as the CRD permits', function () {
  this.timeout(600_000);
  const cluster = useCluster('largest');

  const selecting = (name: string): CapabilityPolicySpec => ({
    namespaceSelector: { matchLabels: { largest: name } },
    level: 'restricted',
    mode: 'Enforce',
    podSecurityLabels: 'Off',
  });

  async function plain(name: string, rest: Part = {}): Promise<{ policy: string; namespace: string }> {
    const policy = await cluster.policy(name, { ...selecting(name), ...rest });
    return { policy, namespace: await cluster.namespace(name, { largest: name }) };
  }

  /** Waits until the policy is in force or not accepted. @returns the reason of the condition Ready */
  const settled = (policy: string): Promise<Condition> =>
    eventually(
      `the status of ${policy}`,
      async () => {
        const { metadata, status } = await cluster.api.get(`${POLICIES}/${policy}`);
        const found = conditionOf({ status }, 'Ready');
        if (!found || found.observedGeneration !== metadata.generation) return undefined;
        return found.status === 'True' || found.reason === 'TooExpensive' ? found : undefined;
      },
      240_000,
    );

  async function holdsWith(sets: readonly (readonly string[])[]): Promise<void> {
    const before = await plain('before');
    await cluster.programmed(before.policy);
    const large = await inBatches([...sets.entries()], AT_ONCE, ([i, names]) => {
      const name = `set-${i}`;
      const own = { largest: name };
      return cluster.policy(name, { ...selecting(name), ...together(names, own) });
    });
    const after = await plain('after');
    await cluster.programmed(after.policy);
    const reasons = await inBatches(large, AT_ONCE, async (policy) => (await settled(policy)).reason);
    console.log(`      ${reasons.map((reason, i) => `${sets[i]?.join(' + ')}: ${reason}`).join('\n      ')}`);
    for (const { policy, namespace } of [before, after]) {
      assert.equal(await cluster.admit(restrictedPod(), namespace), ADMITTED);
      assert.match(await cluster.admit(baselinePod(), namespace), new RegExp(`CapabilityPolicy ${policy}: `));
    }
    await plain('before', { level: 'baseline' });
    await cluster.programmed(before.policy);
    assert.equal(await cluster.admit(baselinePod(), before.namespace), ADMITTED);
    for (const policy of large) await cluster.deletePolicy(policy);
  }

  it('come into force or are not accepted, if one part is large', () =>
    holdsWith(Object.keys(PARTS).map((name) => [name])));

  it('come into force or are not accepted, if several parts are large', () => {
    const sets = fc.sample(fc.subarray(Object.keys(PARTS), { minLength: 2, maxLength: 5 }), {
      numRuns: 20,
      seed: SEED,
    });
    return holdsWith(sets);
  });
});
