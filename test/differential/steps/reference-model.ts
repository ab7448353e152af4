/**
 * A reference model for ephemeral containers that are added to a pod, as docs/decisions/0008 describes. See
 * ../reference/reference-model.ts.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ResolvedPolicy } from '../../../operator/policy/resolve.ts';
import { filledAddition } from '../filling/reference-model.ts';
import { ownValues } from '../reference/containers.ts';
import type { Profile, Secured, StatedContainer, StatedPod } from '../reference/pod.ts';
import { broken } from '../reference/reference-model.ts';
import { isTooLarge } from '../reference/size.ts';
import { deciders, mayUse, type Scene } from '../sets/reference-model.ts';

/** The expected result of an addition. */
interface Fate {
  readonly admitted: boolean;
  /** The stored pod after the addition. */
  readonly pod: StatedPod;
}

/**
 * Whether a pod complies with a policy. The pod's own fields may break the rules in `apart`, but the containers may not
 * break these rules.
 */
type Complies = (policy: ResolvedPolicy, pod: StatedPod, apart?: readonly string[]) => boolean;

const SECCOMP = 'seccomp.security.alpha.kubernetes.io/';

const complies: Complies = (policy, pod, apart = []) => broken(policy, pod).every((rule) => apart.includes(rule));

/**
 * Whether the pod complies with some deciding policy, regardless of the right to use that policy. The pod's seccomp
 * annotations do not count, because every user may change them and no kubelet reads them.
 */
export function isAdmittedBySome(scene: Scene, pod: StatedPod): boolean {
  return deciders(scene, 'Enforce').some((policy) => complies(policy, withoutSeccomp(pod)));
}

/**
 * The expected result of adding containers. The pod with the added containers must satisfy a deciding policy that the
 * user may use. If the pod satisfied no deciding policy before, the added containers are evaluated alone. Defaulting
 * chooses the policy in the same way as for a new pod.
 */
export function addition(scene: Scene, before: StatedPod, after: StatedPod): Fate {
  const all = deciders(scene, 'Enforce');
  if (all.length === 0) return { admitted: true, pod: after };
  const usable = all.filter((policy) => mayUse(scene, policy));
  const admits = (policy: ResolvedPolicy, pod: StatedPod) => admitsAddition(policy, all, { before, after: pod });
  const isUnchanged = (policy: ResolvedPolicy) => isDeepStrictEqual(filledIn(policy, before, after), after);
  const admitting = usable.filter((policy) => admits(policy, after));
  const filling = usable.find((policy) => policy.defaulting && admits(policy, filledIn(policy, before, after)));
  if (filling && !admitting.some((policy) => !policy.defaulting || isUnchanged(policy))) {
    return { admitted: true, pod: filledIn(filling, before, after) };
  }
  return { admitted: admitting.length > 0, pod: after };
}

/** Whether one of the deciding policies admits the added containers. */
export function admitsAddition(
  policy: ResolvedPolicy,
  deciders: readonly ResolvedPolicy[],
  { before, after }: { readonly before: StatedPod; readonly after: StatedPod },
  isFine: Complies = complies,
): boolean {
  if (isTooLarge(policy, after)) return false;
  if (isFine(policy, withoutSeccomp(after))) return true;
  if (deciders.some((decider) => isFine(decider, withoutSeccomp(before)))) return false;
  // If a container sets a field itself, the container's value counts instead of the pod's value.
  return addedTo(before, after).every((container) =>
    isFine(policy, alone(after, container), ownValues(policy, container)?.rules),
  );
}

function withoutSeccomp({ metadata, ...rest }: StatedPod): StatedPod {
  const kept = Object.entries(metadata?.annotations ?? {}).filter(([key]) => !key.includes(SECCOMP));
  return { ...rest, metadata: { ...metadata, annotations: Object.fromEntries(kept) } };
}

function addedTo(before: StatedPod, after: StatedPod): StatedContainer[] {
  const old = (before.spec.ephemeralContainers ?? []).map(({ name }) => name);
  return (after.spec.ephemeralContainers ?? []).filter(({ name }) => !old.includes(name));
}

function filledIn(policy: ResolvedPolicy, before: StatedPod, after: StatedPod): StatedPod {
  const added = addedTo(before, after);
  const ephemeralContainers = (after.spec.ephemeralContainers ?? []).map((c) =>
    policy.defaulting && added.includes(c) ? filledAddition(policy, after, c) : c,
  );
  return { ...after, spec: { ...after.spec, ephemeralContainers } };
}

/**
 * A pod with only this container. The container has its own fields and the fields that the container inherits from its
 * pod. The returned pod also has the container's volumes, and the fields that only a pod can have.
 */
function alone(pod: StatedPod, container: StatedContainer): StatedPod {
  const { initContainers: _, ephemeralContainers: __, volumes = [], securityContext = {}, ...rest } = pod.spec;
  const taken = takenBy(pod, container);
  // No rule reads the SELinux options of a container for Windows, because the API server refuses these options.
  const isOwn = pod.spec.os?.name === 'windows' && container.securityContext?.seLinuxOptions !== undefined;
  const notEvaluated = isOwn ? { seLinuxOptions: undefined } : {};
  const { sysctls, supplementalGroups, supplementalGroupsPolicy, fsGroup } = securityContext;
  const mounts = [...(container.volumeMounts ?? []), ...(container.volumeDevices ?? [])].map(({ name }) => name);
  return {
    metadata: { annotations: {} },
    spec: {
      ...rest,
      containers: [],
      volumes: volumes.filter(({ name }) => mounts.includes(name)),
      securityContext: defined({
        ...taken,
        ...notEvaluated,
        sysctls,
        supplementalGroups,
        supplementalGroupsPolicy,
        fsGroup,
      }),
      ephemeralContainers: [{ ...container, securityContext: defined({ ...container.securityContext, ...taken }) }],
    },
  };
}

/**
 * The fields that a container takes from its pod. The container inherits SELinux options as a whole, and Windows
 * options field by field (k8s.io/kubernetes/pkg/securitycontext).
 */
function takenBy(pod: StatedPod, { name, securityContext: own = {} }: StatedContainer): Secured {
  const { securityContext: ofPod = {} } = pod.spec;
  return defined({
    runAsUser: own.runAsUser ?? ofPod.runAsUser,
    runAsGroup: own.runAsGroup ?? ofPod.runAsGroup,
    runAsNonRoot: own.runAsNonRoot ?? ofPod.runAsNonRoot,
    seccompProfile: own.seccompProfile ?? ofPod.seccompProfile,
    seLinuxOptions: own.seLinuxOptions ?? ofPod.seLinuxOptions,
    appArmorProfile: own.appArmorProfile ?? annotatedProfile(pod, name) ?? ofPod.appArmorProfile,
    windowsOptions: { ...ofPod.windowsOptions, ...own.windowsOptions },
  });
}

function annotatedProfile({ metadata }: StatedPod, container: string): Profile | undefined {
  const text = metadata?.annotations?.[`container.apparmor.security.beta.kubernetes.io/${container}`] ?? '';
  if (text.startsWith('localhost/')) return { type: 'Localhost', localhostProfile: text.slice('localhost/'.length) };
  return text === 'runtime/default'
    ? { type: 'RuntimeDefault' }
    : text === 'unconfined'
      ? { type: 'Unconfined' }
      : undefined;
}

function defined(fields: Readonly<Record<string, unknown>>): Secured {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
