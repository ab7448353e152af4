/** The overrides and notes that result from each field of a PodSecurityPolicy. */
import type { CapabilityPolicyOverrides } from '../../operator/api/capability-policy.ts';

export const SECCOMP = 'seccomp.security.alpha.kubernetes.io';
export const APP_ARMOR = 'apparmor.security.beta.kubernetes.io';
const SAFE = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
];
const ALL_TYPES = ['RuntimeDefault', 'Localhost', 'Unconfined'] as const;
export const GREATEST = 2147483647;

/** The result of migrating a PodSecurityPolicy with only the required fields. */
export const UNSET: CapabilityPolicyOverrides = {
  capabilities: { allowedAdd: [] },
  privileged: false,
  allowPrivilegeEscalation: true,
  hostNetwork: false,
  hostPID: false,
  hostIPC: false,
  hostPorts: [],
  volumes: [],
  runAsUser: { rule: 'RunAsAny' },
  supplementalGroups: { rule: 'RunAsAny' },
  fsGroup: { rule: 'RunAsAny' },
  seccomp: { types: [], unset: 'Allowed' },
  seLinux: { rule: 'RunAsAny' },
  procMount: { types: ['Default'] },
  sysctls: { allowed: SAFE },
};

interface Row {
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** The differences from UNSET. */
  readonly overrides: CapabilityPolicyOverrides;
  readonly filled?: boolean;
  /** The expected notes as `field: beginning of the note`. An inexact note begins with `~`. */
  readonly notes?: readonly string[];
}

export const ids = (...ranges: (readonly [number, number])[]) => ranges.map(([min, max]) => ({ min, max }));

const CAPABILITIES: Readonly<Record<string, Row>> = {
  'allowedCapabilities, once each': {
    spec: { allowedCapabilities: ['NET_RAW', 'ALL', 'NET_RAW'] },
    overrides: { capabilities: { allowedAdd: ['NET_RAW', 'ALL'] } },
  },
  'a wildcard, which needs no other name': {
    spec: { allowedCapabilities: ['CHOWN', '*'], defaultAddCapabilities: ['KILL'] },
    overrides: { capabilities: { allowedAdd: ['*'], defaultAdd: ['KILL'] } },
    filled: true,
  },
  'capabilities in other spellings': {
    spec: { allowedCapabilities: ['CAP_NET_RAW', 'net_admin', 'NOPE'] },
    overrides: { capabilities: { allowedAdd: [] } },
    notes: [
      '~spec.allowedCapabilities: left out: containers that add the capability by this spelling are refused. Not every runtime grants a capability for this spelling: allow NET_RAW',
      '~spec.allowedCapabilities: left out: containers that add the capability by this spelling are refused. Not every runtime grants a capability for this spelling: allow NET_ADMIN',
      '~spec.allowedCapabilities: left out: the name is not a Linux capability',
    ],
  },
  'requiredDropCapabilities: ALL': {
    spec: { requiredDropCapabilities: ['ALL'] },
    overrides: { capabilities: { allowedAdd: [], requiredDrop: ['ALL'] } },
    filled: true,
  },
  'drops by name, beside ALL, too': {
    spec: { requiredDropCapabilities: ['NET_RAW', 'MKNOD'], defaultAddCapabilities: ['CHOWN'] },
    overrides: {
      capabilities: { allowedAdd: [], requiredDrop: ['NET_RAW', 'MKNOD'], dropByName: true, defaultAdd: ['CHOWN'] },
    },
    filled: true,
  },
  'drops in other spellings': {
    spec: { requiredDropCapabilities: ['all', 'CAP_KILL', '*'], allowedCapabilities: ['KILL'] },
    overrides: { capabilities: { allowedAdd: ['KILL'], requiredDrop: ['ALL'] } },
    filled: true,
    notes: [
      '~spec.requiredDropCapabilities: the policy requires ALL instead',
      '~spec.requiredDropCapabilities: left out: no runtime has this capability',
      '~spec.requiredDropCapabilities: left out: no runtime has this capability',
    ],
  },
  'ALL given to everybody': {
    spec: { defaultAddCapabilities: ['ALL', 'KILL'] },
    overrides: { capabilities: { allowedAdd: ['ALL'], defaultAdd: ['KILL'] } },
    filled: true,
    notes: ['~spec.defaultAddCapabilities: containers may still add ALL themselves, but no longer get ALL by default'],
  },
  'a default that is not a capability': {
    spec: { defaultAddCapabilities: ['*'] },
    overrides: {},
    notes: ['~spec.defaultAddCapabilities: left out: the name is not a Linux capability'],
  },
};

const ESCALATION: Readonly<Record<string, Row>> = {
  'allowPrivilegeEscalation: false': {
    spec: { allowPrivilegeEscalation: false, defaultAllowPrivilegeEscalation: false },
    overrides: { allowPrivilegeEscalation: false },
    filled: true,
  },
  'defaultAllowPrivilegeEscalation: false': {
    spec: { defaultAllowPrivilegeEscalation: false },
    overrides: { defaultAllowPrivilegeEscalation: false },
    filled: true,
  },
  'defaultAllowPrivilegeEscalation: true': {
    spec: { allowPrivilegeEscalation: true, defaultAllowPrivilegeEscalation: true },
    overrides: { defaultAllowPrivilegeEscalation: true },
    filled: true,
  },
};

const HOST: Readonly<Record<string, Row>> = {
  'access to the node': {
    spec: { privileged: true, hostNetwork: true, hostPID: true, hostIPC: true },
    overrides: { privileged: true, hostNetwork: true, hostPID: true, hostIPC: true },
  },
  'ports, which the API did not check': {
    spec: { hostPorts: [...ids([0, 65536], [8080, 80], [-5, -1]), { min: 443, max: 443 }] },
    overrides: { hostPorts: ids([1, 65535], [443, 443]) },
    notes: [
      'spec.hostPorts[1]: left out: the range contains no port',
      'spec.hostPorts[2]: left out: the range contains no port',
    ],
  },
  'more ports than the list has room for, as fewer ranges': {
    spec: { hostPorts: Array.from({ length: 40 }, (_, i) => ({ min: 1000 + i, max: 1000 + i })) },
    overrides: { hostPorts: ids([1000, 1039]) },
  },
  'more ports than the list has room for at all': {
    spec: { hostPorts: Array.from({ length: 33 }, (_, i) => ({ min: 10 * i + 1, max: 10 * i + 1 })) },
    overrides: { hostPorts: Array.from({ length: 32 }, (_, i) => ({ min: 10 * i + 1, max: 10 * i + 1 })) },
    notes: ['~spec.hostPorts: left out: the list can have 32 entries'],
  },
  'volumes by the names of their fields': {
    spec: { volumes: ['cephFS', 'configMap', 'configMap'] },
    overrides: { volumes: ['cephfs', 'configMap'] },
  },
  'every volume': { spec: { volumes: ['nfs', '*'] }, overrides: { volumes: ['*'] } },
  'secrets, which contained tokens': {
    spec: { volumes: ['secret'] },
    overrides: { volumes: ['secret'], serviceAccountTokenVolumes: true },
  },
  'secrets beside projected volumes': {
    spec: { volumes: ['projected', 'secret'] },
    overrides: { volumes: ['projected', 'secret'] },
  },
  'paths; a writable entry wins': {
    spec: {
      allowedHostPaths: [
        { pathPrefix: '/var', readOnly: true },
        { pathPrefix: '/log', readOnly: true },
        { pathPrefix: '/var' },
      ],
    },
    overrides: { hostPaths: [{ pathPrefix: '/var' }, { pathPrefix: '/log', readOnly: true }] },
  },
  'a path that is not absolute': {
    spec: { allowedHostPaths: [{ pathPrefix: 'var' }] },
    overrides: { hostPaths: [] },
    notes: ['~spec.allowedHostPaths[0].pathPrefix: left out: not an absolute path'],
  },
  'no list of paths, flexVolumes and CSI drivers: any': {
    spec: { volumes: ['*'], allowedHostPaths: [], allowedFlexVolumes: [], allowedCSIDrivers: [] },
    overrides: { volumes: ['*'] },
  },
  drivers: {
    spec: { allowedFlexVolumes: [{ driver: 'a/b' }], allowedCSIDrivers: [{ name: 'c' }, { name: 'c' }] },
    overrides: { flexVolumeDrivers: ['a/b'], csiDrivers: ['c'] },
  },
};

const IDS: Readonly<Record<string, Row>> = {
  'MustRunAs in all four, of which the first min is filled in': {
    spec: Object.fromEntries(
      ['runAsUser', 'runAsGroup', 'supplementalGroups', 'fsGroup'].map((field) => [
        field,
        { rule: 'MustRunAs', ranges: ids([1000, 2000], [1, 1]) },
      ]),
    ),
    overrides: {
      runAsUser: { rule: 'MustRunAs', ranges: ids([1000, 2000], [1, 1]) },
      runAsGroup: { rule: 'MustRunAs', ranges: ids([1000, 2000], [1, 1]) },
      supplementalGroups: { rule: 'MustRunAs', ranges: ids([1000, 2000], [1, 1]) },
      fsGroup: { rule: 'MustRunAs', ranges: ids([1000, 2000], [1, 1]) },
    },
    filled: true,
    notes: [
      'spec.supplementalGroups: the same, except for pods with `supplementalGroups: []`. Such pods were refused before. The API server does not show an empty list to admission policies. So a pod with an empty list counts as a pod without the field, and defaulting gives group 1000 to the pod',
    ],
  },
  MustRunAsNonRoot: {
    spec: { runAsUser: { rule: 'MustRunAsNonRoot' } },
    overrides: { runAsUser: { rule: 'MustRunAsNonRoot' } },
    filled: true,
  },
  MayRunAs: {
    spec: { runAsGroup: { rule: 'MayRunAs', ranges: ids([1, 9]) }, fsGroup: { rule: 'MayRunAs', ranges: ids([1, 9]) } },
    overrides: {
      runAsGroup: { rule: 'MayRunAs', ranges: ids([1, 9]) },
      fsGroup: { rule: 'MayRunAs', ranges: ids([1, 9]) },
    },
  },
  'ranges beside rules that ignore them': {
    spec: {
      runAsUser: { rule: 'MustRunAsNonRoot', ranges: ids([1, 2]) },
      fsGroup: { rule: 'RunAsAny', ranges: ids([1, 2]) },
    },
    overrides: { runAsUser: { rule: 'MustRunAsNonRoot' } },
    filled: true,
    notes: ['spec.runAsUser.ranges: MustRunAsNonRoot ignores ranges', 'spec.fsGroup.ranges: RunAsAny ignores ranges'],
  },
  'IDs beyond those that pods may have': {
    spec: {
      runAsUser: { rule: 'MustRunAs', ranges: ids([GREATEST + 1, GREATEST + 9], [5, GREATEST + 1]) },
      fsGroup: { rule: 'MayRunAs', ranges: ids([GREATEST + 1, GREATEST + 9]) },
    },
    overrides: {
      runAsUser: { rule: 'MustRunAs', ranges: ids([5, GREATEST]) },
      fsGroup: { rule: 'MayRunAs', ranges: ids([GREATEST, GREATEST]) },
    },
    filled: true,
    notes: [
      '~spec.runAsUser.ranges[0]: the "min" of this range was filled in, and no pod may have this ID',
      '~spec.fsGroup.ranges: no pod may have an ID above 2147483647',
    ],
  },
  'more ranges than the list has room for; the first one stays': {
    spec: {
      runAsUser: {
        rule: 'MustRunAs',
        ranges: ids([500, 501], ...Array.from({ length: 40 }, (_, i) => [i, i] as const)),
      },
    },
    overrides: { runAsUser: { rule: 'MustRunAs', ranges: ids([500, 501], [0, 39]) } },
    filled: true,
  },
};

const PROFILES: Readonly<Record<string, Row>> = {
  'any seccomp profile, and a default': {
    annotations: { [`${SECCOMP}/allowedProfileNames`]: '*', [`${SECCOMP}/defaultProfileName`]: 'localhost/a.json' },
    overrides: {
      seccomp: { types: [...ALL_TYPES], unset: 'Allowed', default: { type: 'Localhost', localhostProfile: 'a.json' } },
    },
    filled: true,
  },
  'listed seccomp profiles; docker/default is runtime/default': {
    annotations: {
      [`${SECCOMP}/allowedProfileNames`]: 'docker/default,localhost/a,unconfined,runtime/default',
      [`${SECCOMP}/defaultProfileName`]: 'runtime/default',
    },
    overrides: {
      seccomp: {
        types: [...ALL_TYPES],
        localhostProfiles: ['a'],
        unset: 'RefusedOnPod',
        default: { type: 'RuntimeDefault' },
      },
    },
    filled: true,
  },
  'a default seccomp profile that is not allowed': {
    annotations: {
      [`${SECCOMP}/allowedProfileNames`]: 'runtime/default',
      [`${SECCOMP}/defaultProfileName`]: 'unconfined',
    },
    overrides: { seccomp: { types: ['RuntimeDefault'], unset: 'RefusedOnPod' } },
    notes: [
      `metadata.annotations[${SECCOMP}/defaultProfileName]: left out: the profile is not among the allowed profiles`,
    ],
  },
  'profiles with a *, which was not a pattern': {
    annotations: {
      [`${SECCOMP}/allowedProfileNames`]: 'localhost/a*',
      [`${SECCOMP}/defaultProfileName`]: 'localhost/a*',
    },
    overrides: { seccomp: { types: ['Localhost'], localhostProfiles: [], unset: 'RefusedOnPod' } },
    notes: [
      `~metadata.annotations[${SECCOMP}/allowedProfileNames]: left out: the '*' in the profile was not a pattern`,
      `~metadata.annotations[${SECCOMP}/defaultProfileName]: left out: pods without a profile are refused instead`,
    ],
  },
  'an empty list of seccomp profiles, which counts as none': {
    annotations: { [`${SECCOMP}/allowedProfileNames`]: '' },
    overrides: {},
  },
  'listed AppArmor profiles, and a default': {
    annotations: {
      [`${APP_ARMOR}/allowedProfileNames`]: 'runtime/default,localhost/a',
      [`${APP_ARMOR}/defaultProfileName`]: 'localhost/a',
    },
    overrides: {
      appArmor: {
        types: ['RuntimeDefault', 'Localhost'],
        localhostProfiles: ['a'],
        unset: 'Refused',
        default: { type: 'Localhost', localhostProfile: 'a' },
      },
    },
    filled: true,
  },
  'a default AppArmor profile without a name, which 1.24 filled in': {
    annotations: { [`${APP_ARMOR}/defaultProfileName`]: 'localhost/' },
    overrides: { appArmor: { types: [...ALL_TYPES], unset: 'Allowed' } },
    notes: [
      `~metadata.annotations[${APP_ARMOR}/defaultProfileName]: left out: the profile names no file, and no container can start with this profile now. Before, pods without a profile got this profile. Now these pods get no profile`,
    ],
  },
  'a default AppArmor profile without a list': {
    annotations: { [`${APP_ARMOR}/defaultProfileName`]: 'runtime/default' },
    overrides: { appArmor: { types: [...ALL_TYPES], unset: 'Allowed', default: { type: 'RuntimeDefault' } } },
    filled: true,
  },
};

const OTHERS: Readonly<Record<string, Row>> = {
  'SELinux options': {
    spec: { seLinux: { rule: 'MustRunAs', seLinuxOptions: { type: 'container_t', user: '', level: 's0:c1,c2' } } },
    overrides: { seLinux: { rule: 'MustRunAs', options: { type: 'container_t', level: 's0:c1,c2' } } },
    filled: true,
  },
  'SELinux without any option': {
    spec: { seLinux: { rule: 'MustRunAs', seLinuxOptions: {} } },
    overrides: { seLinux: { rule: 'MustRunAs', options: {} } },
  },
  'SELinux options that no rule checks': {
    spec: { seLinux: { rule: 'RunAsAny', seLinuxOptions: { type: 'a' } } },
    overrides: {},
    notes: ['spec.seLinux.seLinuxOptions: RunAsAny ignores options'],
  },
  'both types of procMount': {
    spec: { allowedProcMountTypes: ['Unmasked', 'Default'] },
    overrides: { procMount: { types: ['Unmasked', 'Default'] } },
  },
  'Unmasked alone': {
    spec: { allowedProcMountTypes: ['Unmasked'] },
    overrides: { procMount: { types: ['Unmasked'] } },
    notes: ['spec.allowedProcMountTypes: the policy still refuses containers that leave procMount unset'],
  },
  'sysctls beside the safe ones': {
    spec: { allowedUnsafeSysctls: ['kernel.msg*'], forbiddenSysctls: ['kernel.shm_rmid_forced', 'net.core.*'] },
    overrides: {
      sysctls: {
        allowed: [...SAFE.filter((name) => name !== 'kernel.shm_rmid_forced'), 'kernel.msg*'],
        forbidden: ['kernel.shm_rmid_forced', 'net.core.*'],
      },
    },
  },
  'every sysctl': { spec: { allowedUnsafeSysctls: ['*'] }, overrides: { sysctls: { allowed: ['*'] } } },
  'no sysctl': { spec: { forbiddenSysctls: ['*'] }, overrides: { sysctls: { allowed: SAFE, forbidden: ['*'] } } },
  'more forbidden sysctls than the list has room for': {
    spec: { forbiddenSysctls: Array.from({ length: 65 }, (_, i) => `kernel.a${i}`) },
    overrides: { sysctls: { allowed: [] } },
    notes: ['~spec.forbiddenSysctls: the list can have 64 entries, so no sysctl is admitted at all'],
  },
  readOnlyRootFilesystem: {
    spec: { readOnlyRootFilesystem: true },
    overrides: { readOnlyRootFilesystem: true },
    filled: true,
  },
  'runtime classes': {
    spec: { runtimeClass: { allowedRuntimeClassNames: ['a', 'b'], defaultRuntimeClassName: 'b' } },
    overrides: { runtimeClasses: { allowed: ['a', 'b'], default: 'b' } },
    filled: true,
  },
  'only pods without a runtime class': { spec: { runtimeClass: {} }, overrides: { runtimeClasses: { allowed: [] } } },
  'any runtime class, and a default': {
    spec: { runtimeClass: { allowedRuntimeClassNames: ['*'], defaultRuntimeClassName: 'b' } },
    overrides: { runtimeClasses: { default: 'b' } },
    filled: true,
  },
};

export const ROWS: Readonly<Record<string, Row>> = {
  'with nothing stated': { overrides: {} },
  ...CAPABILITIES,
  ...ESCALATION,
  ...HOST,
  ...IDS,
  ...PROFILES,
  ...OTHERS,
};
