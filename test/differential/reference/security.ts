/**
 * A reference model of the rules about securityContext. The fields of a securityContext set the identity and privileges
 * of a pod's processes.
 */
import {
  type Breach,
  containersThat,
  effective,
  hasOwnUsers,
  isForWindows,
  matchesSome,
  type Options,
  type Profile,
  type Question,
  type StatedContainer,
  type StatedPod,
} from './pod.ts';
import type { Profiles } from './values.ts';
import { isIn } from './workload.ts';

export const MODELS = {
  capabilities,
  'capabilities.allowedBounding': allowedBounding,
  privileged,
  allowPrivilegeEscalation,
  defaultAllowPrivilegeEscalation,
  runAsNonRoot,
  runAsUser,
  runAsGroup,
  seccomp,
  appArmor,
  seLinux,
  readOnlyRootFilesystem,
};

const RUNTIME_DEFAULT = (
  'AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE NET_RAW SETFCAP SETGID SETPCAP SETUID ' +
  'SYS_CHROOT'
).split(' ');
const ALL = (
  'AUDIT_CONTROL AUDIT_READ BLOCK_SUSPEND BPF CHECKPOINT_RESTORE DAC_READ_SEARCH IPC_LOCK IPC_OWNER LEASE ' +
  'LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE NET_ADMIN NET_BROADCAST PERFMON SYSLOG SYS_ADMIN SYS_BOOT SYS_MODULE SYS_NICE ' +
  'SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG WAKE_ALARM'
)
  .split(' ')
  .concat(RUNTIME_DEFAULT);

/**
 * The Standard says: "Containers must drop ALL capabilities, and are only permitted to add back …". The policy has the
 * lists of capabilities to drop and to add.
 */
function capabilities({ values: { capabilities: wanted }, minor, pod }: Question): Breach {
  const mustDrop = !(minor >= 25 && isForWindows(pod));
  const allowed = [...wanted.allowedAdd, ...inOwnUsers(wanted, pod)];
  return {
    containers: containersThat(pod, ({ securityContext }) => {
      const { add = [], drop = [] } = securityContext?.capabilities ?? {};
      if (!allowed.includes('*') && add.some((name) => !allowed.includes(name))) return true;
      const allStands = drop.includes('ALL') && !wanted.dropByName;
      return mustDrop && !allStands && wanted.requiredDrop.some((name) => !drop.includes(name));
    }),
  };
}

/**
 * The capabilities that only a pod with its own user namespace may have. In a pod's own user namespace, a capability
 * has no power over resources of the node (user_namespaces(7)).
 */
function inOwnUsers(lists: { readonly allowedAddInUserNamespace?: readonly string[] }, pod: StatedPod) {
  return hasOwnUsers(pod) ? (lists.allowedAddInUserNamespace ?? []) : [];
}

/**
 * Checks the capabilities in the bounding set. In a user namespace, no capability is forbidden if the list for user
 * namespaces contains ALL, or if the two lists together contain all capabilities.
 */
function allowedBounding({ values, pod }: Question): Breach {
  const { allowed: everywhere, inUserNamespace } = values['capabilities.allowedBounding'];
  const own = hasOwnUsers(pod) ? inUserNamespace : [];
  const allowed = [...everywhere, ...own];
  if (own.includes('ALL') || ALL.every((name) => allowed.includes(name))) return {};
  if (allowed.includes('*') || isForWindows(pod)) return {};
  return {
    containers: containersThat(pod, (c) => {
      const { add = [], drop = [] } = c.securityContext?.capabilities ?? {};
      const odd = [...add, ...drop].some((name) => !/^[A-Za-z_]+$/.test(name));
      return odd || [...held(c)].some((name) => !allowed.includes(name));
    }),
  };
}

/**
 * The effective capabilities of a container under the most generous container runtime. Some runtimes add `CAP_X` as X,
 * and some do not drop `CAP_X`. Docker keeps a capability that a container adds and drops. If a container adds and drops
 * ALL, Docker ignores the drop of ALL.
 */
function held({ securityContext = {} }: StatedContainer): Set<string> {
  if (securityContext.privileged) return new Set(ALL);
  const adds = (securityContext.capabilities?.add ?? []).map((name) => name.toUpperCase().replace(/^CAP_/, ''));
  const drops = (securityContext.capabilities?.drop ?? []).map((name) => name.toUpperCase());
  const without = (names: readonly string[]) => names.filter((name) => !drops.includes(name));
  if (adds.includes('ALL')) return new Set(without(ALL));
  const start = drops.includes('ALL') ? [] : without(RUNTIME_DEFAULT);
  return new Set([...start, ...adds].filter((name) => ALL.includes(name)));
}

function privileged({ values, pod }: Question): Breach {
  return { containers: containersThat(pod, (c) => !values.privileged && c.securityContext?.privileged === true) };
}

/**
 * The Standard says "Privilege escalation should not be allowed", so the field must be explicitly false. The Standard
 * also says "this is Linux only policy in v1.25+".
 */
function allowPrivilegeEscalation({ values, minor, pod }: Question): Breach {
  if (values.allowPrivilegeEscalation || (minor >= 25 && isForWindows(pod))) return {};
  return { containers: containersThat(pod, (c) => c.securityContext?.allowPrivilegeEscalation !== false) };
}

/**
 * A policy may fill in false. If the API server does not accept false for a container, the container must set true.
 */
function defaultAllowPrivilegeEscalation({ values, minor, pod }: Question): Breach {
  const windows = isForWindows(pod);
  if (values.defaultAllowPrivilegeEscalation !== false || (minor >= 25 && windows)) return {};
  return {
    containers: containersThat(pod, ({ securityContext = {} }) => {
      const neverFalse =
        windows || securityContext.privileged || securityContext.capabilities?.add?.includes('CAP_SYS_ADMIN');
      return securityContext.allowPrivilegeEscalation === undefined && neverFalse === true;
    }),
  };
}

/**
 * The Standard says "Containers must be required to run as non-root users". The pod or each container must set
 * `runAsNonRoot: true`, and no container may set false.
 */
function runAsNonRoot({ values, minor, pod }: Question): Breach {
  if (!values.runAsNonRoot || (minor >= 35 && hasOwnUsers(pod))) return {};
  const ofPod = pod.spec.securityContext?.runAsNonRoot;
  return {
    pod: ofPod === false,
    containers: containersThat(pod, (c) => (c.securityContext?.runAsNonRoot ?? ofPod) !== true),
  };
}

function runAsUser({ values: { runAsUser: wanted }, minor, pod }: Question): Breach {
  const user = (c: StatedContainer) => effective(pod, c, 'runAsUser');
  const nonRoot = (c: StatedContainer) => effective(pod, c, 'runAsNonRoot');
  switch (wanted.rule) {
    case 'RunAsAny':
      return {};
    case 'NotZero':
      if (minor >= 35 && hasOwnUsers(pod)) return {};
      return {
        pod: pod.spec.securityContext?.runAsUser === 0,
        containers: containersThat(pod, (c) => c.securityContext?.runAsUser === 0),
      };
    case 'MustRunAs':
      if (isForWindows(pod)) return {};
      return { containers: containersThat(pod, (c) => !isIn(user(c) ?? -1, wanted.ranges)) };
    case 'MustRunAsNonRoot':
      return {
        containers: containersThat(pod, (c) => {
          if (user(c) === undefined && nonRoot(c) === undefined) return true;
          return nonRoot(c) === false || user(c) === 0;
        }),
      };
  }
}

function runAsGroup({ values: { runAsGroup: wanted }, pod }: Question): Breach {
  if (wanted.rule === 'RunAsAny' || isForWindows(pod)) return {};
  return {
    containers: containersThat(pod, (c) => {
      const group = effective(pod, c, 'runAsGroup');
      return group === undefined ? wanted.rule === 'MustRunAs' : !isIn(group, wanted.ranges);
    }),
  };
}

/**
 * Since v1.19, the Standard checks the seccomp fields. Before v1.19, the Standard checked annotations. Current API
 * servers do not turn these annotations into fields.
 */
function seccomp({ values: { seccomp: wanted }, minor, pod }: Question): Breach {
  const refused = (profile: Profile | undefined) => profile !== undefined && !isProfile(profile, wanted);
  const annotations = wanted.annotations ? (pod.metadata?.annotations ?? {}) : {};
  const badAnnotation = (key: string) => {
    const value = annotations[key];
    return value !== undefined && !/^(runtime\/default$|docker\/default$|localhost\/)/.test(value);
  };
  const isChecked = !(minor >= 25 && isForWindows(pod));
  const onPod = wanted.unset === 'RefusedOnPod' && isChecked;
  const ephemeral = (pod.spec.ephemeralContainers ?? []).map(({ name }) => name);
  const mustSet = ({ name }: StatedContainer) =>
    (wanted.unset === 'Refused' && isChecked) || (onPod && ephemeral.includes(name));
  return {
    pod:
      refused(pod.spec.securityContext?.seccompProfile) ||
      badAnnotation('seccomp.security.alpha.kubernetes.io/pod') ||
      (onPod && wanted.onPod !== false && pod.spec.securityContext?.seccompProfile === undefined),
    containers: containersThat(
      pod,
      (c) =>
        refused(c.securityContext?.seccompProfile) ||
        badAnnotation(`container.seccomp.security.alpha.kubernetes.io/${c.name}`) ||
        (mustSet(c) && effective(pod, c, 'seccompProfile') === undefined),
    ),
  };
}

const APP_ARMOR = 'container.apparmor.security.beta.kubernetes.io/';

function appArmor({ values: { appArmor: wanted }, pod }: Question): Breach {
  const refused = (profile: Profile | undefined) => profile !== undefined && !isProfile(profile, wanted);
  const annotations = Object.entries(pod.metadata?.annotations ?? {}).filter(([key]) => key.startsWith(APP_ARMOR));
  const namesProfile = ([, value]: [string, string]) => value !== '' && value !== 'localhost/';
  const mustSet = wanted.unset === 'Refused' && !isForWindows(pod);
  const named = annotations.filter(namesProfile).map(([key]) => key.slice(APP_ARMOR.length));
  return {
    pod:
      refused(pod.spec.securityContext?.appArmorProfile) ||
      annotations.some(([, value]) => value !== '' && refused(profileIn(value))),
    containers: containersThat(
      pod,
      (c) =>
        refused(c.securityContext?.appArmorProfile) ||
        (mustSet && !effective(pod, c, 'appArmorProfile') && !named.includes(c.name)),
    ),
  };
}

function profileIn(annotation: string): Profile {
  const localhostProfile = /^localhost\/(.*)$/.exec(annotation)?.[1];
  if (localhostProfile !== undefined) return { type: 'Localhost', localhostProfile };
  return { type: { 'runtime/default': 'RuntimeDefault', unconfined: 'Unconfined' }[annotation] ?? annotation };
}

function isProfile({ type, localhostProfile = '', oci }: Profile, wanted: Profiles): boolean {
  const { types, localhostProfiles, ociReferences } = wanted;
  if (!types.includes(type)) return false;
  if (type === 'OCI') return isReference(oci?.ref ?? '', ociReferences) && isBase(oci?.baseProfile, wanted);
  return type !== 'Localhost' || !localhostProfiles || matchesSome(localhostProfile, localhostProfiles);
}

/**
 * Whether an entry of the list covers the reference. The entry names the reference with its digest, its repository, or
 * a folder that contains its repository.
 */
function isReference(reference: string, allowed: readonly string[] = ['*']): boolean {
  const [repository = '', ...digests] = reference.split('@');
  return allowed.some((entry) => {
    if (entry === '*') return true;
    if (digests.length === 0) return false;
    if (entry.endsWith('/*')) return repository.startsWith(entry.slice(0, -1));
    return entry === `${repository}@*` || entry === reference;
  });
}

/**
 * Whether the base profile is admitted. Without a base profile, the default profile of the container runtime is the
 * base. A base profile of type Localhost replaces the runtime's default profile.
 */
function isBase(base: Profile | undefined, wanted: Profiles): boolean {
  return base === undefined || base.type === 'RuntimeDefault' || isProfile(base, wanted);
}

function seLinux({ values: { seLinux: wanted }, minor, pod }: Question): Breach {
  const ofPod = pod.spec.securityContext?.seLinuxOptions;
  switch (wanted.rule) {
    case 'RunAsAny':
      return {};
    case 'PodSecurityStandard':
      return {
        pod: !isStandard(ofPod, minor),
        containers: containersThat(pod, (c) => !isStandard(c.securityContext?.seLinuxOptions, minor)),
      };
    case 'MustRunAs':
      return {
        pod: ofPod !== undefined && !isEqual(ofPod, wanted.options),
        containers: isForWindows(pod)
          ? []
          : containersThat(pod, (c) => !isEqual(effective(pod, c, 'seLinuxOptions'), wanted.options)),
      };
  }
}

/**
 * The Standard says: "Setting the SELinux type is restricted, and setting a custom SELinux user or role option is
 * forbidden."
 */
function isStandard({ user, role, type }: Options = {}, minor: number): boolean {
  const types = ['container_t', 'container_init_t', 'container_kvm_t', ...(minor >= 31 ? ['container_engine_t'] : [])];
  return !user && !role && (!type || types.includes(type));
}

/** Whether two SELinux options are equal. An empty struct counts as unset. */
function isEqual(options: Options = {}, wanted: Options = {}): boolean {
  const text = ({ user = '', role = '', type = '', level = '' }: Options) =>
    JSON.stringify([user, role, type, sortedCategories(level)]);
  return text(options) === text(wanted);
}

function sortedCategories(level: string): string {
  const [sensitivity, ...rest] = level.split(':');
  return [sensitivity, ...(rest.length > 0 ? [rest.join(':').split(',').sort().join(',')] : [])].join(':');
}

function readOnlyRootFilesystem({ values, pod }: Question): Breach {
  if (!values.readOnlyRootFilesystem || isForWindows(pod)) return {};
  return { containers: containersThat(pod, (c) => c.securityContext?.readOnlyRootFilesystem !== true) };
}
