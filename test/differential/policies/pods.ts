/**
 * Random pods for one policy. For half of the random pods, the test takes a pod that the policy admits, and makes one
 * or two changes.
 */
import fc, { type Arbitrary } from 'fast-check';
import { perObject } from '../../../operator/policy/memo.ts';
import type { ResolvedPolicy } from '../../../operator/policy/resolve.ts';
import { podManifest } from '../../support/pod-manifests.ts';
import { ANNOTATION, CONTAINER_FIELD, namedBy, POD_FIELD, type Step, type Steps } from '../../support/random-fields.ts';
import { type Pod, randomPods } from '../../support/random-pods.ts';
import { demandedSpec } from '../../support/random-switches.ts';
import type { StatedPod } from '../reference/pod.ts';
import { broken } from '../reference/reference-model.ts';
import type { Values } from '../reference/values.ts';
import { boundaryOf } from './boundary.ts';

type Fields = Record<string, unknown>;

/**
 * A fast-check arbitrary that generates random pods for a policy. The arbitrary is cached for each policy, because
 * building an arbitrary takes ten times as long as generating a pod.
 */
export const podsFor = perObject(
  (policy: ResolvedPolicy): Arbitrary<Pod> =>
    fc.oneof(
      podsNear(policy),
      fc.oneof({ weight: 2, arbitrary: podsFarther(policy) }, { weight: 1, arbitrary: randomPods() }),
    ),
);

/** Pods that the policy admits, with one or two changes. */
export function podsNear(policy: ResolvedPolicy): Arbitrary<Pod> {
  return changed(policy, 1, 2);
}

function podsFarther(policy: ResolvedPolicy): Arbitrary<Pod> {
  return changed(policy, 3, 7);
}

function changed(policy: ResolvedPolicy, minLength: number, maxLength: number): Arbitrary<Pod> {
  const bases = admittedPods(policy);
  const steps = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...boundaryOf(policy)) },
    { weight: 2, arbitrary: anyField() },
  );
  return fc
    .tuple(fc.constantFrom(...bases), fc.array(steps, { minLength, maxLength, size: 'max' }))
    .map(([base, all]) => walked(base, all.flat()));
}

/** Changes that set any field of a pod or a container to any of the field's values. */
export function anyField(): Arbitrary<Steps> {
  const container = fc.constantFrom<Step['to']>('app', 'app', 'second', 'init', 'sidecar');
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ to: fc.constant<Step['to']>('pod'), set: POD_FIELD }) },
    { weight: 6, arbitrary: fc.record({ to: container, set: CONTAINER_FIELD }) },
    {
      weight: 1,
      arbitrary: ANNOTATION.map((set) => ({
        to: 'metadata' as const,
        set: { ...set, path: ['annotations', ...set.path] },
      })),
    },
  );
  return step.map(({ to, set }) => [{ to, ...set }]);
}

/**
 * Pods that comply with the policy, each in a different way. If the policy refuses all pods that the function tries,
 * the function returns these refused pods.
 */
export function admittedPods(policy: ResolvedPolicy): readonly Pod[] {
  const values = policy.values as unknown as Values;
  const [ofPod, ofContainer] = demanded(values);
  const { capabilities: _, allowPrivilegeEscalation: __, readOnlyRootFilesystem: ___, ...shared } = ofContainer;
  const { runAsUser: ____, ...unmapped } = shared;
  const containerOnly = Object.fromEntries(Object.entries(ofContainer).filter(([field]) => !(field in shared)));
  const spec = demandedSpec(policy.values, policy.standard);
  const pods = [
    pod({ ...ofPod, ...shared }, containerOnly, spec),
    pod(ofPod, ofContainer, spec),
    pod({ ...ofPod, ...unmapped }, ofContainer, { ...spec, hostUsers: false }),
    pod({ ...ofPod, ...shared }, containerOnly, {
      ...spec,
      os: { name: 'linux' },
      automountServiceAccountToken: undefined,
    }),
    pod({ runAsNonRoot: true }, undefined, { os: { name: 'windows' } }),
  ];
  const admitted = pods.filter((one) => broken(policy, one as unknown as StatedPod).length === 0);
  return admitted.length > 0 ? admitted : pods;
}

/**
 * The fields that a policy requires. The first result has the fields of a pod, and the second result has the fields of
 * each container.
 */
function demanded(values: Values): [Fields, Fields] {
  const { capabilities, fsGroup, supplementalGroups, seccomp, appArmor, runAsUser, runAsGroup, seLinux } = values;
  const bounded = !values['capabilities.allowedBounding'].allowed.includes('*');
  // The value `drop: [ALL]` drops every capability. A policy with `dropByName` still requires each capability by its
  // name.
  const named = capabilities.dropByName ? capabilities.requiredDrop.filter((name) => name !== 'ALL') : [];
  const drop = bounded ? ['ALL', ...named] : capabilities.requiredDrop;
  const mustRunAs = (field: string, { rule, ranges = [] }: { rule: string; ranges?: readonly { min: number }[] }) =>
    rule === 'MustRunAs' ? { [field]: ranges[0]?.min } : {};
  const groups = mustRunAs('id', supplementalGroups).id;
  return [
    {
      ...mustRunAs('fsGroup', fsGroup),
      ...(groups !== undefined && { supplementalGroups: [groups] }),
      ...(values['supplementalGroups.policy'] && { supplementalGroupsPolicy: 'Strict' }),
      ...(seccomp.unset === 'RefusedOnPod' && { seccompProfile: someProfile(seccomp) }),
    },
    {
      ...(drop.length > 0 && { capabilities: { drop } }),
      ...(!values.allowPrivilegeEscalation && { allowPrivilegeEscalation: false }),
      ...((values.runAsNonRoot || runAsUser.rule === 'MustRunAsNonRoot') && { runAsNonRoot: true }),
      ...mustRunAs('runAsUser', runAsUser),
      ...mustRunAs('runAsGroup', runAsGroup),
      ...(seccomp.unset === 'Refused' && { seccompProfile: someProfile(seccomp) }),
      ...(appArmor.unset === 'Refused' && { appArmorProfile: someProfile(appArmor) }),
      ...(seLinux.rule === 'MustRunAs' && { seLinuxOptions: seLinux.options }),
      ...(values.readOnlyRootFilesystem && { readOnlyRootFilesystem: true }),
    },
  ];
}

function someProfile({ types, localhostProfiles = ['profile'], ociReferences }: Values['appArmor']): Fields {
  const [type = 'RuntimeDefault'] = types;
  if (type === 'OCI') return { type, oci: { ref: namedBy(ociReferences?.[0] ?? '*') } };
  if (type !== 'Localhost') return { type };
  return { type, localhostProfile: (localhostProfiles[0] ?? 'profile').replace('*', 'file') };
}

function pod(ofPod: Fields, ofContainer: Fields | undefined, spec: Fields = {}): Pod {
  const container = { name: 'app', image: 'app', ...(ofContainer && { securityContext: ofContainer }) };
  const fields = { automountServiceAccountToken: false, securityContext: ofPod, ...spec };
  return podManifest({ name: 'random', annotations: {} }, { ...fields, containers: [container] });
}

/**
 * Returns a copy of the pod with the changes in `steps`. A new container gets the securityContext of the container
 * `app`.
 */
export function walked(base: Pod, steps: Steps): Pod {
  const copy = structuredClone(base);
  const secured = copy.spec.containers[0]?.securityContext;
  const initContainers: Fields[] = [...(copy.spec.initContainers ?? [])];
  for (const { to, path, value } of steps) {
    if (to === 'pod' || to === 'metadata') assign(to === 'pod' ? copy.spec : copy.metadata, path, value);
    else {
      const list = to === 'app' || to === 'second' ? copy.spec.containers : initContainers;
      assign(list.find(({ name }) => name === to) ?? added(list, to, secured), path, value);
    }
  }
  return { ...copy, spec: { ...copy.spec, ...(initContainers.length > 0 && { initContainers }) } };
}

function added(list: Fields[], name: string, securityContext: unknown): Fields {
  const container: Fields = { name, image: name, ...(name === 'sidecar' && { restartPolicy: 'Always' }) };
  if (securityContext !== undefined) container.securityContext = structuredClone(securityContext);
  list.push(container);
  return container;
}

/** Sets a field, or removes the field if the value is undefined. */
export function assign(target: Fields, [head = '', ...rest]: readonly string[], value: unknown): void {
  if (rest.length > 0) {
    target[head] = { ...(target[head] as Fields | undefined) };
    assign(target[head] as Fields, rest, value);
  } else if (value === undefined) delete target[head];
  else target[head] = structuredClone(value);
}
