/**
 * Tests that an override which admits more never refuses a pod that was admitted: random overrides, one step wider,
 * with and without defaulting. The steps go through every override. wider.test.ts has pods with long lists.
 */
import assert from 'node:assert/strict';
import fc, { type Arbitrary } from 'fast-check';
import type { CapabilityPolicyOverrides } from '../../operator/api/capability-policy.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import { LEVELS } from '../../operator/standards/level-version.ts';
import { resolved } from '../support/policies.ts';
import { contentOf, randomPods } from '../support/random-pods.ts';
import { arbitraryOverrides, arbitraryPod, arbitraryPodWithAddedContainers } from '../support/random-policies.ts';
import { SEED } from '../support/seed.ts';

interface Widening {
  readonly from: CapabilityPolicyOverrides;
  readonly to: CapabilityPolicyOverrides;
}

interface Range {
  readonly min: number;
  readonly max: number;
}

/** One step from a value of an override to a wider value. The result is undefined if the step does not fit. */
type Step = (value: unknown, choice: number) => unknown;

const RUNS = Number(process.env.MONOTONE ?? 500);

const isAny = (list: readonly unknown[]) => list.includes('*');
const pick = <Item>(items: readonly Item[], choice: number) => items[choice % items.length];

const adds =
  (...items: readonly unknown[]): Step =>
  (list, choice) => {
    const before = list as readonly unknown[];
    const item = pick(items, choice);
    return isAny(before) || before.includes(item)
      ? undefined
      : choice % 2 === 0
        ? [...before, item]
        : [item, ...before];
  };

const drops: Step = (list, choice) => {
  const before = list as readonly unknown[];
  return before.length === 0 ? undefined : before.toSpliced(choice % before.length, 1);
};

const becomes =
  (wider: unknown): Step =>
  (value) =>
    value === wider ? undefined : wider;

const widensRange: Step = (ranges, choice) => {
  const before = ranges as readonly Range[];
  const index = choice % before.length;
  return before.map((range, i) => (i === index ? { min: Math.max(0, range.min - 1), max: range.max + 1 } : range));
};
const RANGE = [
  { min: 0, max: 0 },
  { min: 1001, max: 2000 },
];
const NAMES = ['CHOWN', 'NET_RAW', 'NET_BIND_SERVICE', 'SYS_ADMIN', '*'];
const PROFILES = ['a', 'team/a', '*'];
const allowsWriting: Step = (list, choice) => {
  const before = list as readonly { pathPrefix: string; readOnly?: boolean }[];
  const index = choice % Math.max(before.length, 1);
  return before[index]?.readOnly === true
    ? before.map((path, i) => (i === index ? { pathPrefix: path.pathPrefix } : path))
    : undefined;
};

/** The steps by the path of the override. */
const STEPS: Readonly<Record<string, readonly Step[]>> = {
  'capabilities.allowedAdd': [adds(...NAMES)],
  'capabilities.allowedAddInUserNamespace': [adds(...NAMES)],
  'capabilities.requiredDrop': [drops],
  'capabilities.allowedBounding': [adds(...NAMES)],
  privileged: [becomes(true)],
  allowPrivilegeEscalation: [becomes(true)],
  hostNetwork: [becomes(true)],
  hostPID: [becomes(true)],
  hostIPC: [becomes(true)],
  hostProcess: [becomes(true)],
  hostProbes: [becomes(true)],
  serviceAccountToken: [becomes('Allowed')],
  hostPaths: [
    adds({ pathPrefix: '/foo' }, { pathPrefix: '/foo/bar', readOnly: true }, { pathPrefix: '/' }),
    allowsWriting,
  ],
  flexVolumeDrivers: [adds('example/lvm', 'example/cifs')],
  csiDrivers: [adds('example.com', 'example.org')],
  runAsNonRoot: [becomes(false)],
  'runAsUser.ranges': [widensRange, adds(...RANGE)],
  'runAsGroup.ranges': [widensRange, adds(...RANGE)],
  'supplementalGroups.ranges': [widensRange, adds(...RANGE)],
  'fsGroup.ranges': [widensRange, adds(...RANGE)],
  'seccomp.types': [adds('RuntimeDefault', 'Localhost', 'Unconfined')],
  'seccomp.localhostProfiles': [adds(...PROFILES)],
  'seccomp.unset': [becomes('Allowed')],
  'appArmor.types': [adds('RuntimeDefault', 'Localhost', 'Unconfined')],
  'appArmor.localhostProfiles': [adds(...PROFILES)],
  'appArmor.unset': [becomes('Allowed')],
  'sysctls.allowed': [adds('kernel.msgmax', 'net.*', '*')],
  'sysctls.forbidden': [drops],
  readOnlyRootFilesystem: [becomes(false)],
  'runtimeClasses.allowed': [adds('gvisor', 'runc')],
  userNamespaces: [becomes('Optional')],
  unknownFields: [becomes('Allowed')],
};

/**
 * Overrides that defaulting also fills in. A pod without the field may be admitted for what defaulting fills in: with
 * `requiredDrop`, the pod has fewer capabilities, and in a user namespace it may run as root.
 */
const FILLING = ['capabilities.requiredDrop', 'userNamespaces'];
const AS_IS = {} as const;
const FILLED = { mode: 'Enforce', defaulting: 'Enabled' } as const;
const OTHERS = [...new Set(Object.keys(STEPS).map((path) => path.split('.')[0] ?? ''))];

function widenings(path: string): Arbitrary<Widening> {
  const keys = path.split('.');
  const steps = STEPS[path] ?? [];
  return fc
    .record({
      all: arbitraryOverrides,
      others: fc.subarray(OTHERS, { maxLength: 2 }),
      step: fc.constantFrom(...steps),
      choice: fc.nat(1_000),
    })
    .map(({ all, others, step, choice }) => {
      // With many overrides, a random pod is hardly ever admitted.
      const kept = new Set([keys[0], ...others]);
      const from = Object.fromEntries(Object.entries(all).filter(([key]) => kept.has(key)));
      const value = keys.reduce<unknown>((fields, key) => (fields as Record<string, unknown> | undefined)?.[key], from);
      const wider = value === undefined ? undefined : step(value, choice);
      return { from, to: wider === undefined ? undefined : (changed(from, keys, wider) as CapabilityPolicyOverrides) };
    })
    .filter((one): one is Widening => one.to !== undefined);
}

function changed(fields: object, [key = '', ...rest]: readonly string[], value: unknown): object {
  const before = (fields as Record<string, object>)[key] ?? {};
  return { ...fields, [key]: rest.length === 0 ? value : changed(before, rest, value) };
}

const POD: Arbitrary<PodContent> = fc.oneof(arbitraryPod, arbitraryPodWithAddedContainers, randomPods().map(contentOf));

describe('an override that is one step wider', function () {
  this.timeout(300_000);
  const evaluator = new Evaluator();

  for (const path of Object.keys(STEPS)) {
    it(`refuses no pod that was admitted: ${path} (seed ${SEED})`, () => {
      let admitted = 0;
      const property = fc.property(
        widenings(path),
        fc.array(POD, { minLength: 4, maxLength: 4 }),
        ({ from, to }, pods) => {
          for (const level of LEVELS) {
            for (const spec of FILLING.includes(path) ? [AS_IS] : [AS_IS, FILLED]) {
              const narrow = resolved('p', { level, ...spec, overrides: from });
              const wide = resolved('p', { level, ...spec, overrides: to });
              for (const pod of pods) {
                if (evaluator.violations(pod, narrow, narrow.defaulting).length > 0) continue;
                admitted++;
                const about = JSON.stringify({ level, ...spec, pod });
                assert.deepEqual(evaluator.violations(pod, wide, wide.defaulting), [], about);
              }
            }
          }
        },
      );
      fc.assert(property, { seed: SEED, numRuns: RUNS });
      console.log(`      ${admitted} admitted pods`);
    });
  }

  it('fills in the same seccomp profile when a type that needs a name is allowed, too', () => {
    const pod: PodContent = { annotations: {}, spec: { containers: [{ name: 'app' }] } };
    for (const before of [[], ['Localhost'], ['OCI', 'Localhost']] as const) {
      const types = [...before, 'Unconfined' as const];
      const policy = resolved('p', {
        level: 'privileged',
        ...FILLED,
        overrides: { seccomp: { types, unset: 'Refused' } },
      });
      assert.deepEqual(evaluator.violations(pod, policy, true), [], JSON.stringify(types));
    }
  });
});
