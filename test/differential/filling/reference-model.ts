/**
 * A reference model of the values that defaulting writes. The model is plain code that follows PodSecurityPolicy. See
 * ../reference/reference-model.ts.
 */
import type { ResolvedPolicy } from '../../../operator/policy/resolve.ts';
import { ownValues } from '../reference/containers.ts';
import {
  containersOf,
  effective,
  hasOwnUsers,
  isForWindows,
  type Profile,
  type Secured,
  type StatedContainer,
  type StatedPod,
} from '../reference/pod.ts';
import type { Strategy, Values } from '../reference/values.ts';

type Written = { -readonly [Field in keyof Secured]: Secured[Field] };

/** Fills a new pod. The function sets each value that the policy requires and the pod leaves unset. */
export function filled(policy: ResolvedPolicy, pod: StatedPod): StatedPod {
  const values = policy.values as unknown as Values;
  const { spec } = pod;
  const { default: runtimeClassName } = values.runtimeClasses;
  return {
    ...pod,
    spec: {
      ...spec,
      ...(values.userNamespaces === 'Required' && mayHaveOwnUsers(pod) && { hostUsers: false }),
      ...(runtimeClassName !== undefined && spec.runtimeClassName === undefined && { runtimeClassName }),
      ...secured(spec, isForWindows(pod) ? {} : ofPod(pod, values)),
      ...(spec.initContainers && { initContainers: spec.initContainers.map((c) => created(policy, pod, c)) }),
      containers: spec.containers.map((c) => created(policy, pod, c)),
    },
  };
}

/**
 * Whether the pod may have a user namespace. According to KEP-127, a pod cannot have a user namespace if the pod is for
 * Windows, has a host namespace, or has raw block volumes.
 */
function mayHaveOwnUsers(pod: StatedPod): boolean {
  const { hostUsers, hostNetwork, hostPID, hostIPC } = pod.spec;
  const hasDevices = containersOf(pod).some(({ volumeDevices = [] }) => volumeDevices.length > 0);
  return hostUsers === undefined && !hostNetwork && !hostPID && !hostIPC && !hasDevices && !isForWindows(pod);
}

/** Fills a container that is added to an existing pod. The fields of the existing pod can no longer be changed. */
export function filledAddition(policy: ResolvedPolicy, pod: StatedPod, added: StatedContainer): StatedContainer {
  const own = ownValues(policy, added);
  const values = own?.values ?? (policy.values as unknown as Values);
  const { securityContext, ...rest } = container(pod, added, values, policy.standard.minor);
  const written = isForWindows(pod) ? {} : profilesOf(values, (field) => effective(pod, added, field) === undefined);
  const { seccompProfile, ...others } = written;
  const kept =
    seccompProfile && own?.rules.includes('seccomp') && !agrees(pod, seccompProfile, added) ? others : written;
  return { ...rest, ...secured({ ...(securityContext && { securityContext }) }, kept) };
}

/**
 * If an entry of `spec.containers` has values for the container, the function sets the seccomp profile on the container
 * instead of the pod.
 */
function created(policy: ResolvedPolicy, pod: StatedPod, c: StatedContainer): StatedContainer {
  const { minor } = policy.standard;
  const own = ownValues(policy, c);
  if (!own) return container(pod, c, policy.values as unknown as Values, minor);
  const after = container(pod, c, own.values, minor);
  if (isForWindows(pod)) return after;
  const { seccompProfile, seLinuxOptions } = profilesOf(own.values, (field) => effective(pod, c, field) === undefined);
  return {
    ...after,
    ...secured(after, {
      ...(seccompProfile && own.rules.includes('seccomp') && agrees(pod, seccompProfile, c) && { seccompProfile }),
      ...(seLinuxOptions && own.rules.includes('seLinux') && { seLinuxOptions }),
    }),
  };
}

function secured(part: { readonly securityContext?: Secured }, written: Written): { securityContext?: Secured } {
  const { securityContext } = part;
  if (Object.keys(written).length === 0) return securityContext ? { securityContext } : {};
  return { securityContext: { ...securityContext, ...written } };
}

function ofPod(pod: StatedPod, values: Values): Written {
  const { containers, initContainers = [], securityContext = {} } = pod.spec;
  const all = [...initContainers, ...containers];
  const minimum = ({ rule, ranges = [] }: Strategy<string>) => (rule === 'MustRunAs' ? ranges[0]?.min : undefined);
  const [fsGroup, group] = [minimum(values.fsGroup), minimum(values.supplementalGroups)];
  const isUnset = (field: 'seccompProfile' | 'seLinuxOptions') =>
    field === 'seLinuxOptions' || values.seccomp.default
      ? securityContext[field] === undefined
      : all.some((c) => effective(pod, c, field) === undefined);
  const { seccompProfile, ...others } = profilesOf(values, isUnset);
  return {
    ...others,
    ...(seccompProfile && agrees(pod, seccompProfile) && { seccompProfile }),
    ...(fsGroup !== undefined && securityContext.fsGroup === undefined && { fsGroup }),
    ...(group !== undefined && !securityContext.supplementalGroups?.length && { supplementalGroups: [group] }),
    ...(values['supplementalGroups.policy'] === 'Strict' &&
      securityContext.supplementalGroupsPolicy === undefined && { supplementalGroupsPolicy: 'Strict' }),
  };
}

/**
 * Whether the profile agrees with the historical annotation of the pod or of the container. The API server refuses a
 * profile that contradicts the annotation.
 */
function agrees({ metadata }: StatedPod, { type, localhostProfile }: Profile, c?: StatedContainer): boolean {
  const key = c
    ? `container.seccomp.security.alpha.kubernetes.io/${c.name}`
    : 'seccomp.security.alpha.kubernetes.io/pod';
  const annotation = metadata?.annotations?.[key];
  if (annotation === undefined) return true;
  if (type === 'Localhost') return annotation === `localhost/${localhostProfile}`;
  return type === 'Unconfined' ? annotation === 'unconfined' : /^(runtime|docker)\/default$/.test(annotation);
}

function profilesOf(values: Values, isUnset: (field: 'seccompProfile' | 'seLinuxOptions') => boolean): Written {
  const { types, unset, default: stated } = values.seccomp;
  const type = types.includes('RuntimeDefault') ? 'RuntimeDefault' : types[0];
  const known = unset === 'Refused' && type !== undefined && type !== 'Localhost' ? { type } : undefined;
  const seccompProfile = stated ?? known;
  const { rule, options = {} } = values.seLinux;
  return {
    ...(seccompProfile && isUnset('seccompProfile') && { seccompProfile }),
    ...(rule === 'MustRunAs' &&
      Object.keys(options).length > 0 &&
      isUnset('seLinuxOptions') && { seLinuxOptions: options }),
  };
}

function container(pod: StatedPod, c: StatedContainer, values: Values, minor: number): StatedContainer {
  const written = { ...promise(pod, c, values, minor), ...(isForWindows(pod) ? {} : forLinux(pod, c, values)) };
  return { ...c, ...secured(c, written) };
}

/** Sets runAsNonRoot, except on a container that runs as root. */
function promise(pod: StatedPod, c: StatedContainer, values: Values, minor: number): Written {
  const [user, nonRoot] = [effective(pod, c, 'runAsUser'), effective(pod, c, 'runAsNonRoot')];
  const required = values.runAsNonRoot && user !== 0 && !(minor >= 35 && hasOwnUsers(pod));
  const demanded = values.runAsUser.rule === 'MustRunAsNonRoot' && user === undefined;
  return nonRoot === undefined && (required || demanded) ? { runAsNonRoot: true } : {};
}

const APP_ARMOR = 'container.apparmor.security.beta.kubernetes.io/';

function annotationsOf({ metadata }: StatedPod): Readonly<Record<string, string>> {
  return metadata?.annotations ?? {};
}

/** The bound for a list of capabilities. */
const MOST_NAMES = 256;

function forLinux(pod: StatedPod, c: StatedContainer, values: Values): Written {
  const own = c.securityContext ?? {};
  const { add = [], drop = [] } = own.capabilities ?? {};
  const { defaultAdd, requiredDrop, dropByName } = values.capabilities;
  const adds = defaultAdd.filter((name) => !add.includes(name) && !drop.includes(name));
  const drops = drop.includes('ALL') && !dropByName ? [] : requiredDrop.filter((name) => !drop.includes(name));
  const capabilities = {
    ...own.capabilities,
    ...(adds.length > 0 && add.length + adds.length <= MOST_NAMES && { add: [...add, ...adds] }),
    ...(drops.length > 0 && { drop: [...drop, ...drops] }),
  };
  const minimum = (field: 'runAsUser' | 'runAsGroup') => {
    const { rule, ranges = [] }: Strategy<string> = values[field];
    return rule === 'MustRunAs' && effective(pod, c, field) === undefined ? { [field]: ranges[0]?.min } : {};
  };
  const mayEscalate = own.privileged === true || add.includes('CAP_SYS_ADMIN');
  const escalation = !values.allowPrivilegeEscalation && own.allowPrivilegeEscalation === undefined && !mayEscalate;
  const byDefault = own.allowPrivilegeEscalation === undefined ? values.defaultAllowPrivilegeEscalation : undefined;
  const { default: appArmorProfile } = values.appArmor;
  // If a pod has an AppArmor annotation, the API server refuses a field with a different value. An AppArmor annotation
  // with an empty value has the same effect.
  const isConfined =
    effective(pod, c, 'appArmorProfile') !== undefined || `${APP_ARMOR}${c.name}` in annotationsOf(pod);
  const writable = values.readOnlyRootFilesystem && own.readOnlyRootFilesystem === undefined;
  return {
    ...(adds.length + drops.length > 0 && { capabilities }),
    ...(escalation && { allowPrivilegeEscalation: false }),
    ...(byDefault !== undefined && !(mayEscalate && !byDefault) && { allowPrivilegeEscalation: byDefault }),
    ...(appArmorProfile && !isConfined && { appArmorProfile }),
    ...minimum('runAsUser'),
    ...minimum('runAsGroup'),
    ...(writable && { readOnlyRootFilesystem: true }),
  };
}
