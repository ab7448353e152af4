/** A PodSecurityPolicy that the API server refused, and the reasons in the form `field: reason`. */

type SpecRow = readonly [spec: Readonly<Record<string, unknown>>, ...reasons: string[]];

const SECCOMP = 'seccomp.security.alpha.kubernetes.io';
const APP_ARMOR = 'apparmor.security.beta.kubernetes.io';
export const SUBDOMAIN = 'a lowercase RFC 1123 subdomain must consist of';

const ranges = (min: number, max: number) => [{ min, max }];

/** Specs that the API server refused, with the reason or the beginning of the reason. */
export const REFUSED: Readonly<Record<string, SpecRow>> = {
  'an unknown rule for users': [
    { runAsUser: { rule: 'MayRunAs' } },
    'spec.runAsUser.rule: Unsupported value: "MayRunAs": supported values: "MustRunAs", "MustRunAsNonRoot", "RunAsAny"',
  ],
  'no rule at all': [
    { runAsUser: undefined, seLinux: undefined, supplementalGroups: undefined, fsGroup: undefined },
    'spec.runAsUser.rule: Unsupported value: "": supported values: "MustRunAs", "MustRunAsNonRoot", "RunAsAny"',
    'spec.seLinux.rule: Unsupported value: "": supported values: "MustRunAs", "RunAsAny"',
    'spec.supplementalGroups.rule: Unsupported value: "": supported values: "MayRunAs", "MustRunAs", "RunAsAny"',
    'spec.fsGroup.rule: Unsupported value: "": supported values: "MayRunAs", "MustRunAs", "RunAsAny"',
  ],
  'a range the wrong way round': [
    { runAsUser: { rule: 'MustRunAs', ranges: ranges(9, 1) } },
    'spec.runAsUser.ranges[0].min: Invalid value: 9: min cannot be greater than max',
  ],
  'negative IDs': [
    { fsGroup: { rule: 'MustRunAs', ranges: ranges(-2, -1) } },
    'spec.fsGroup.ranges[0].min: Invalid value: -2: min cannot be negative',
    'spec.fsGroup.ranges[0].max: Invalid value: -1: max cannot be negative',
  ],
  'runAsGroup without ranges': [
    { runAsGroup: { rule: 'MustRunAs' } },
    'spec.runAsGroup.ranges: Invalid value: []: must provide at least one range',
  ],
  'runAsGroup RunAsAny with ranges': [
    { runAsGroup: { rule: 'RunAsAny', ranges: ranges(1, 2) } },
    'spec.runAsGroup.ranges: Invalid value: [{"min":1,"max":2}]: Ranges must be empty',
  ],
  'runAsGroup without a rule': [
    { runAsGroup: {} },
    'spec.runAsGroup.rule: Unsupported value: "": supported values: "MustRunAs", "RunAsAny", "MayRunAs"',
  ],
  'runAsGroup of an unknown rule, whose ranges nobody checks': [
    { runAsGroup: { rule: 'MustRunAsNonRoot', ranges: ranges(9, 1) } },
    'spec.runAsGroup.rule: Unsupported value: "MustRunAsNonRoot": supported values: "MustRunAs", "RunAsAny", "MayRunAs"',
  ],
  'a wildcard beside drops': [
    { allowedCapabilities: ['*'], requiredDropCapabilities: ['ALL'] },
    'spec.requiredDropCapabilities: Invalid value: ["ALL"]: must be empty when all capabilities are allowed by a wildcard',
  ],
  'capabilities that are granted and dropped': [
    {
      allowedCapabilities: ['KILL'],
      defaultAddCapabilities: ['CHOWN'],
      requiredDropCapabilities: ['CHOWN', 'KILL'],
    },
    'spec.defaultAddCapabilities[0]: Invalid value: "CHOWN": capability is listed in defaultAddCapabilities and requiredDropCapabilities',
    'spec.allowedCapabilities[0]: Invalid value: "KILL": capability is listed in allowedCapabilities and requiredDropCapabilities',
  ],
  'a default that is refused': [
    { allowPrivilegeEscalation: false, defaultAllowPrivilegeEscalation: true },
    'spec.defaultAllowPrivilegeEscalation: Invalid value: true: Cannot set DefaultAllowPrivilegeEscalation to true without also setting AllowPrivilegeEscalation to true',
  ],
  'an unknown type of procMount': [
    { allowedProcMountTypes: ['Default', 'masked'] },
    'spec.allowedProcMountTypes[1]: Unsupported value: "masked": supported values: "Default", "Unmasked"',
  ],
  'paths without prefix, and leading up': [
    { allowedHostPaths: [{ pathPrefix: '/a/../b' }, { readOnly: true }] },
    'spec.allowedHostPaths[0]: Invalid value: "/a/../b": must not contain \'..\'',
    'spec.allowedHostPaths[1]: Required value: is required',
  ],
  'drivers without a name': [
    { allowedFlexVolumes: [{}], allowedCSIDrivers: [{ name: 'a'.repeat(64) }] },
    'spec.allowedFlexVolumes[0].driver: Required value: must specify a driver',
    'spec.allowedCSIDrivers[0].name: Too long: must have at most 63 bytes',
  ],
  'invalid sysctls': [
    { allowedUnsafeSysctls: ['', 'a.*.b', 'net/core'] },
    'spec.allowedUnsafeSysctls[0]: Invalid value: "": empty sysctl not allowed',
    'spec.allowedUnsafeSysctls[1]: Invalid value: "a.*.b": must have at most 253 characters and match regex',
    'spec.allowedUnsafeSysctls[2]: Invalid value: "net/core": must have at most 253 characters and match regex',
  ],
  'every sysctl and another': [
    { forbiddenSysctls: ['*', 'a'] },
    "spec.forbiddenSysctls: Forbidden: if '*' is present, must not specify other sysctls",
  ],
  'sysctls that are allowed and forbidden': [
    { allowedUnsafeSysctls: ['a.b', 'c.*', 'd.e*'], forbiddenSysctls: ['a.*', 'c.d', 'd.*'] },
    'spec.allowedUnsafeSysctls[0]: Invalid value: "a.b": sysctl overlaps with a.*',
    'spec.forbiddenSysctls[1]: Invalid value: "c.d": sysctl overlaps with c.*',
    'spec.allowedUnsafeSysctls[2]: Invalid value: "d.e*": sysctl overlaps with d.*',
  ],
  'runtime classes': [
    { runtimeClass: { allowedRuntimeClassNames: ['A', 'b', 'b', '*'] } },
    `spec.runtimeClass.allowedRuntimeClassNames[0]: Invalid value: "A": ${SUBDOMAIN}`,
    'spec.runtimeClass.allowedRuntimeClassNames[2]: Duplicate value: "b"',
    `spec.runtimeClass.allowedRuntimeClassNames: Invalid value: ["A","b","b","*"]: if '*' is present, must not specify other RuntimeClass names`,
  ],
  'a default runtime class that is not allowed': [
    { runtimeClass: { allowedRuntimeClassNames: ['b'], defaultRuntimeClassName: 'a' } },
    'spec.runtimeClass.allowedRuntimeClassNames: Required value: default "a" must be allowed',
  ],
};

export const ANNOTATIONS: Readonly<
  Record<string, readonly [annotations: Record<string, string>, ...reasons: string[]]>
> = {
  'invalid seccomp profiles': [
    { [`${SECCOMP}/allowedProfileNames`]: '*,runtime/default,', [`${SECCOMP}/defaultProfileName`]: 'RuntimeDefault' },
    `metadata.annotations["${SECCOMP}/defaultProfileName"]: Invalid value: "RuntimeDefault": must be a valid seccomp profile`,
    `metadata.annotations["${SECCOMP}/allowedProfileNames"]: Invalid value: "": must be a valid seccomp profile`,
  ],
  'seccomp profiles that lead out of their folder': [
    { [`${SECCOMP}/allowedProfileNames`]: 'localhost//etc/a,localhost/../b' },
    `metadata.annotations["${SECCOMP}/allowedProfileNames"]: Invalid value: "/etc/a": must be a relative path`,
    `metadata.annotations["${SECCOMP}/allowedProfileNames"]: Invalid value: "../b": must not contain '..'`,
  ],
  'invalid AppArmor profiles': [
    {
      [`${APP_ARMOR}/allowedProfileNames`]: 'runtime/default,*',
      [`${APP_ARMOR}/defaultProfileName`]: 'docker/default',
    },
    `metadata.annotations["${APP_ARMOR}/defaultProfileName"]: Invalid value: "docker/default": invalid AppArmor profile name: "docker/default"`,
    `metadata.annotations["${APP_ARMOR}/allowedProfileNames"]: Invalid value: "runtime/default,*": invalid AppArmor profile name: "*"`,
  ],
};

/** Input that the migration cannot read at all. */
export const MALFORMED: Readonly<Record<string, SpecRow>> = {
  'values that are not a flag, list, text, number or mapping': [
    { privileged: 'yes' },
    'spec.privileged: Invalid value: string: must be of type boolean: write true, without quotes',
  ],
  'a text for a list': [
    { volumes: 'secret' },
    'spec.volumes: Invalid value: string: must be of type array: write a list: [secret]',
  ],
  'a number for a text': [
    { volumes: [5] },
    "spec.volumes[0]: Invalid value: number: must be of type string: write '5', in quotes",
  ],
  'a null in a list': [{ volumes: [null] }, 'spec.volumes[0]: Invalid value: null: must be of type string'],
  'a fraction for a number': [
    { hostPorts: [{ min: 1.5, max: 2 }] },
    'spec.hostPorts[0].min: Invalid value: number: must be of type integer',
  ],
  'a port that is not a 32-bit number': [
    { hostPorts: [{ min: 1, max: 2147483648 }] },
    'spec.hostPorts[0].max: 2147483648 should be less than or equal to 2147483647',
  ],
  'a list for a mapping': [
    { seLinux: [] },
    'spec.seLinux: Invalid value: array: must be of type object: write its fields: rule, seLinuxOptions',
  ],
  'an unknown field': [
    { allowedCapabilites: ['KILL'] },
    'spec.allowedCapabilites: no such field: did you mean allowedCapabilities? the known fields are privileged,',
  ],
};
