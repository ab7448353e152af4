/** Random sequences of additions to a pod. Each policy admits different pods. */
import fc, { type Arbitrary } from 'fast-check';
import type { CapabilityPolicyOverrides } from '../../../operator/api/capability-policy.ts';
import type { ResolvedPolicy } from '../../../operator/policy/resolve.ts';
import { SECURITY_FIELD } from '../../support/random-fields.ts';
import type { Pod } from '../../support/random-pods.ts';
import type { Setting } from '../../support/random-switches.ts';
import { mildRules } from '../policies/arbitrary.ts';
import { boundaryOf } from '../policies/boundary.ts';
import { assign, podsFor } from '../policies/pods.ts';
import { ACCOUNTS, type PolicySet, randomSet } from '../sets/arbitrary.ts';
import type { Creator } from '../sets/people.ts';

type Fields = Record<string, unknown>;

/** The containers that one request adds. */
export interface Step {
  readonly by: Creator;
  /** The added containers. The containers get their names later. */
  readonly containers: readonly Fields[];
  /** The pod's volumes that each added container mounts, chosen at random. */
  readonly mounts: readonly { readonly volume: number; readonly readOnly: boolean }[];
}

/** A pod, and the containers that users add to the pod one after the other. */
export interface Track {
  readonly pod: Pod;
  readonly namespace: PolicySet['namespaces'][number];
  readonly account: string;
  readonly creator: Creator;
  readonly steps: readonly Step[];
}

/**
 * Overrides that concern pods, not only containers. Each of the overrides makes a policy admit more pods. A single
 * override is enough to make the policy an exception.
 */
const OF_PODS: readonly CapabilityPolicyOverrides[] = [
  { hostPID: true },
  { hostIPC: true },
  { hostNetwork: true, hostPorts: [{ min: 1, max: 65535 }] },
  { volumes: ['*'], hostPaths: [{ pathPrefix: '/var/log', readOnly: true }] },
  { volumes: ['configMap', 'emptyDir', 'hostPath', 'secret', 'projected', 'persistentVolumeClaim'] },
  { seccomp: { types: ['RuntimeDefault', 'Unconfined'], unset: 'Allowed' } },
  { appArmor: { types: ['RuntimeDefault', 'Unconfined'] } },
  { seLinux: { rule: 'RunAsAny' } },
  { sysctls: { allowed: ['*'] } },
  { runAsNonRoot: false, runAsUser: { rule: 'RunAsAny' } },
  { runAsUser: { rule: 'MustRunAs', ranges: [{ min: 1000, max: 2000 }] } },
  { supplementalGroups: { rule: 'MayRunAs', ranges: [{ min: 1, max: 1000 }] } },
  { fsGroup: { rule: 'MayRunAs', ranges: [{ min: 1, max: 1000 }] } },
  { runtimeClasses: { allowed: ['gvisor'] } },
];
/** Overrides for rules about containers. */
const OF_CONTAINERS: readonly CapabilityPolicyOverrides[] = [
  { capabilities: { allowedAdd: ['SYS_PTRACE', 'NET_BIND_SERVICE'] } },
  { capabilities: { allowedAdd: ['NET_RAW', 'CHOWN'], requiredDrop: [] } },
  { allowPrivilegeEscalation: true },
  { procMount: { types: ['Default', 'Unmasked'] } },
  { readOnlyRootFilesystem: true },
];

/** Sets of Enforce policies. Most policies of a set are similar. */
export function randomStepsSet(name: string): Arbitrary<PolicySet> {
  const parts = fc.tuple(
    fc.subarray([...OF_PODS], { maxLength: 3 }),
    fc.subarray([...OF_CONTAINERS], { maxLength: 2 }),
  );
  const near = fc.record({
    level: fc.constantFrom('restricted' as const, 'restricted' as const, 'baseline' as const),
    overrides: parts.map(([ofPods, ofContainers]) => Object.assign({}, ...ofPods, ...ofContainers)),
  });
  const rules = fc.oneof({ weight: 3, arbitrary: near }, { weight: 1, arbitrary: mildRules() });
  const fills = fc.constantFrom('Disabled' as const, 'Disabled', 'Enabled');
  return fc
    .tuple(randomSet(name), fc.array(fc.record({ rules, fills }), { minLength: 5, maxLength: 5 }))
    .map(([set, chosen]) => ({
      ...set,
      policies: set.policies.map(({ name, spec }, i) => ({
        name,
        spec: {
          ...spec,
          levelVersion: 'latest',
          ...chosen[i]?.rules,
          mode: 'Enforce' as const,
          defaulting: chosen[i]?.fills ?? 'Disabled',
        },
      })),
    }));
}

export function randomTracks(
  { namespaces }: PolicySet,
  policies: readonly ResolvedPolicy[],
  creators: readonly Creator[],
  steps: number,
): Arbitrary<Track> {
  const step = fc.record({
    by: fc.constantFrom(...creators),
    containers: fc.oneof(
      { weight: 3, arbitrary: fc.array(randomContainer(policies), { minLength: 1, maxLength: 1 }) },
      { weight: 1, arbitrary: fc.array(randomContainer(policies), { minLength: 2, maxLength: 2 }) },
    ),
    mounts: fc.array(fc.record({ volume: fc.nat({ max: 3 }), readOnly: fc.boolean() }), { maxLength: 2 }),
  });
  return fc.record({
    pod: fc.constantFrom(...policies).chain(podsFor),
    namespace: fc.constantFrom(...namespaces),
    account: fc.constantFrom(...ACCOUNTS),
    creator: fc.constantFrom(...creators),
    steps: fc.array(step, { minLength: steps, maxLength: steps }),
  });
}

const HARDENED = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
const CONFINED = { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } };

/**
 * A container that is hardened except for a few fields. Some fields of the container have values at the limits of a
 * policy.
 */
function randomContainer(policies: readonly ResolvedPolicy[]): Arbitrary<Fields> {
  const borders = policies.flatMap((policy) =>
    boundaryOf(policy)
      .flat()
      .filter(({ to, path }) => to === 'app' && path[0] === 'securityContext'),
  );
  const contexts = fc.constantFrom(HARDENED, { ...HARDENED, ...CONFINED }, { ...HARDENED, ...CONFINED }, undefined);
  const setting = fc.oneof<Arbitrary<Setting>[]>(SECURITY_FIELD, fc.constantFrom(...borders));
  const settings = fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    { weight: 3, arbitrary: fc.array(setting, { minLength: 1, maxLength: 2 }) },
  );
  return fc.tuple(contexts, settings).map(([securityContext, all]) => {
    const container: Fields = structuredClone({ image: 'debug', ...(securityContext && { securityContext }) });
    for (const { path, value } of all) assign(container, path, value);
    return container;
  });
}
