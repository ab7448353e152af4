/**
 * Migrates SecurityContextConstraints. The result consists of the values of a CapabilityPolicy, and of the users of the
 * policy. The values are in the order of the policy's overrides.
 */
import { capabilityLists } from './capability-lists.ts';
import type { Grant, GrantSubject } from './grants.ts';
import { drivers, volumeTypes } from './host-access.ts';
import { type IdRange, idStrategy } from './ids.ts';
import { inexact, known, type MigratedField, stated, statedOrUnset } from './migrated-field.ts';
import { seccompProfiles } from './profiles.ts';
import type { Scc, SccGroup } from './scc.ts';
import { escalation, flag, readOnlyRootFilesystem, statedOptions } from './shared-fields.ts';
import { SAFE_SYSCTLS, sysctls } from './sysctls.ts';
import { SCC_VOLUMES } from './volume-types.ts';

/** @param filling whether unset fields are filled in */
export function sccFields(scc: Scc, filling: boolean): MigratedField[] {
  return [
    choice(scc),
    capabilities(scc, filling),
    flag('privileged', 'allowPrivilegedContainer', scc.allowPrivilegedContainer),
    privilegedEscalation(scc),
    flag('hostNetwork', 'allowHostNetwork', scc.allowHostNetwork),
    flag('hostPID', 'allowHostPID', scc.allowHostPID),
    flag('hostIPC', 'allowHostIPC', scc.allowHostIPC),
    hostPorts(scc),
    volumes(scc),
    drivers(
      'flexVolumeDrivers',
      'allowedFlexVolumes',
      scc.allowedFlexVolumes?.map(({ driver = '' }) => driver),
    ),
    runAsUser(scc),
    groups(
      'supplementalGroups',
      scc.supplementalGroups,
      `the groups of the pod's namespace, or the user IDs if the namespace has no groups`,
    ),
    groups('fsGroup', scc.fsGroup, "the first group of the pod's namespace"),
    seccomp(scc),
    seLinux(scc),
    ...sysctlFields(scc),
    readOnlyRootFilesystem('', scc),
    userNamespace(scc, filling),
  ];
}

/** The grants to the users and groups that the SecurityContextConstraints itself names. */
export function sccGrants({ users = [], groups = [] }: Scc, object: string): Grant[] {
  const grant = (subject: GrantSubject, field: string): Grant => ({
    subjects: [subject],
    names: undefined,
    from: `${object} ${field}`,
    covers: false,
  });
  return [
    ...users.map((name, i) => grant(userSubject(name), `users[${i}]`)),
    ...groups.map((name, i) => grant({ kind: 'Group', name }, `groups[${i}]`)),
  ];
}

function userSubject(user: string): GrantSubject {
  const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user) ?? [];
  return namespace !== undefined && name !== undefined
    ? { kind: 'ServiceAccount', name, namespace }
    : { kind: 'User', name: user };
}

/**
 * The remark on how OpenShift chooses among SecurityContextConstraints (sccadmission/admission.go
 * computeSecurityContext, util/sort/bypriority.go, sccmatching/provider.go mutateContainer).
 */
function choice({ priority }: Scc): MigratedField {
  const text =
    'only the CapabilityPolicies with the highest priority would count. So all CapabilityPolicies get priority 0, and a pod has to satisfy one CapabilityPolicy, as before. ' +
    'The filled-in fields differ. OpenShift sorts SecurityContextConstraints by priority, and then from the most restrictive to the least restrictive. OpenShift uses the first SecurityContextConstraints that admits the pod, even if it changes the pod. ' +
    'OpenShift also sets runAsNonRoot: true on containers with another user than 0. Here, a pod stays unchanged if some policy admits the unchanged pod. Otherwise, the first policy by name fills in fields';
  return { remarks: [inexact('priority', priority ?? null, text)] };
}

/**
 * Migrates capabilities. If the input admits only pods with `hostUsers: false`, the policy lets only these pods add
 * capabilities.
 */
function capabilities(scc: Scc, filling: boolean): MigratedField {
  const migrated = capabilityLists(scc, '', filling);
  if (scc.userNamespaceLevel !== REQUIRED) return migrated;
  const statements = migrated.statements?.flatMap((statement) =>
    statement.path === 'capabilities.allowedAdd' && Array.isArray(statement.value) && statement.value.length > 0
      ? [
          { ...statement, value: [] },
          { ...statement, path: 'capabilities.allowedAddInUserNamespace' },
        ]
      : [statement],
  );
  return { ...migrated, ...(statements && { statements }) };
}

function privilegedEscalation(scc: Scc): MigratedField {
  const { allowPrivilegeEscalation: allowed, defaultAllowPrivilegeEscalation: filling, allowPrivilegedContainer } = scc;
  const text =
    'privileged containers that left allowPrivilegeEscalation unset were not changed. Now these containers are refused until they set allowPrivilegeEscalation: true';
  const refuses = filling === false && allowed !== false && allowPrivilegedContainer;
  const remarks = refuses ? [inexact('defaultAllowPrivilegeEscalation', filling, text)] : [];
  return { ...escalation('', scc), remarks };
}

function hostPorts({ allowHostPorts }: Scc): MigratedField {
  const ranges = allowHostPorts ? [{ min: 1, max: 65535 }] : [];
  return { statements: [statedOrUnset('hostPorts', ranges, 'allowHostPorts', allowHostPorts)] };
}

/**
 * Migrates volume types. Without a list of volume types, every type is admitted. The flag for host paths overrides the
 * list (openshift/api SetDefaults_SCC).
 */
function volumes({ volumes: types = ['*'], allowHostDirVolumePlugin: hostPath = false }: Scc): MigratedField {
  const field = 'volumes';
  if (types.includes('*') && hostPath) return volumeTypes(field, ['*'], SCC_VOLUMES);
  const listed = types.includes('*') ? [...SCC_VOLUMES.keys()] : types.filter((type) => type !== 'none');
  const others = listed.filter((type) => type !== 'hostPath');
  const migrated = volumeTypes(field, [...others, ...(hostPath ? ['hostPath'] : [])].sort(), SCC_VOLUMES);
  const dropped = types.includes('hostPath') && !hostPath;
  const text =
    'left out: allowHostDirVolumePlugin overrides this list. Since allowHostDirVolumePlugin is not true, hostPath volumes are refused, as before';
  return { ...migrated, remarks: dropped ? [known(field, 'hostPath', text)] : [] };
}

/**
 * The range of IDs from which OpenShift allocates IDs to namespaces by default: UIDAllocatorRange
 * 1000000000-1999999999/10000.
 */
const ALLOCATED: IdRange = { min: 1000000000, max: 1999999999 };
const RANGE_ANNOTATION = 'openshift.io/sa.scc.uid-range';
const GROUPS_ANNOTATION = 'openshift.io/sa.scc.supplemental-groups';

function ofNamespace(what: string, annotation: string): string {
  return (
    `each pod had to have ${what} (annotation ${annotation}): now any ID that OpenShift allocates by default passes in every namespace, and ${ALLOCATED.min} is filled in. ` +
    'For one range per namespace, create a policy of a higher priority for each namespace'
  );
}

function runAsUser({ runAsUser: { type = '', uid, uidRangeMin, uidRangeMax } = {} }: Scc): MigratedField {
  const field = 'runAsUser';
  const never = (what: string): MigratedField => ({
    never: known(field, type, `${type} needs ${what}, so the policy could never admit a pod`),
  });
  const ranges = (min: number, max: number) => idStrategy(field, field, { rule: 'MustRunAs', ranges: [{ min, max }] });
  switch (type) {
    case 'MustRunAs':
      return uid === undefined ? never('uid') : ranges(uid, uid);
    case 'MustRunAsRange': {
      if (uidRangeMin !== undefined && uidRangeMax !== undefined) return ranges(uidRangeMin, uidRangeMax);
      if (uidRangeMin !== undefined || uidRangeMax !== undefined) return never('uidRangeMin and uidRangeMax');
      const text = ofNamespace("a user ID of the pod's namespace", RANGE_ANNOTATION);
      return { ...ranges(ALLOCATED.min, ALLOCATED.max), remarks: [inexact(field, type, text)] };
    }
    default:
      return idStrategy(field, field, { rule: type });
  }
}

function groups(
  field: 'supplementalGroups' | 'fsGroup',
  { type = 'RunAsAny', ranges = [] }: SccGroup = {},
  what: string,
): MigratedField {
  if (type !== 'MustRunAs' || ranges.length > 0) return idStrategy(field, field, { rule: type, ranges });
  const { remarks = [], ...migrated } = idStrategy(field, field, { rule: type, ranges: [ALLOCATED] });
  return { ...migrated, remarks: [inexact(field, type, ofNamespace(what, GROUPS_ANNOTATION)), ...remarks] };
}

/** Migrates seccomp profiles. Defaulting fills in the first entry that is not `*`. */
function seccomp({ seccompProfiles: profiles = [] }: Scc): MigratedField {
  const first = profiles.findIndex((profile) => profile !== '*');
  return seccompProfiles({
    allowed: profiles,
    default: profiles[first],
    allowedField: 'seccompProfiles',
    defaultField: `seccompProfiles[${first}]`,
  });
}

const MCS_ANNOTATION = 'openshift.io/sa.scc.mcs';

/** Migrates SELinux options. If the SELinux options have no MCS level, the MCS level of the pod's namespace applies. */
function seLinux({ seLinuxContext: { type: rule, seLinuxOptions } = {} }: Scc): MigratedField {
  const field = 'seLinuxContext';
  if (rule !== 'MustRunAs') return { statements: [stated('seLinux', { rule }, field)] };
  const options = statedOptions(seLinuxOptions);
  const text = `pods had to have the SELinux level of their namespace (annotation ${MCS_ANNOTATION}), and this level was filled in. Now pods must not set a level, and the container runtime chooses a level for each pod. So pods that share a volume may not be able to read each other's files`;
  return {
    statements: [stated('seLinux', { rule, options }, field)],
    remarks: options.level === undefined ? [inexact(field, seLinuxOptions ?? rule, text)] : [],
  };
}

/** The sysctls that OpenShift regards as safe (sysctl/mustmatchpatterns.go). */
const SAFE_IN_OPENSHIFT = [
  ...SAFE_SYSCTLS,
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
];
const NEWER_SYSCTLS = ['net.ipv4.ip_local_reserved_ports', 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem'];

function sysctlFields(scc: Scc): MigratedField[] {
  const { allowedUnsafeSysctls: unsafe } = scc;
  if (unsafe?.includes('*')) return [sysctls('', scc, SAFE_IN_OPENSHIFT)];
  const text = `OpenShift calls ${NEWER_SYSCTLS.join(', ')} safe, too, if the kernel of its API server is new enough. These sysctls are refused now: add the sysctls that pods use`;
  return [sysctls('', scc, SAFE_IN_OPENSHIFT), { remarks: [inexact('allowedUnsafeSysctls', unsafe ?? null, text)] }];
}

const REQUIRED = 'RequirePodLevel';

function userNamespace({ userNamespaceLevel: level }: Scc, filling: boolean): MigratedField {
  if (level !== REQUIRED) return {};
  const text =
    'pods that left hostUsers unset were refused. Now these pods get hostUsers: false, unless another rule refuses the pods';
  return {
    statements: [stated('userNamespaces', 'Required', 'userNamespaceLevel')],
    ...(filling && { remarks: [inexact('userNamespaceLevel', level, text)] }),
  };
}
