/** The fields of a PodSecurityPolicy → parts of a policy, in the order of the policy's overrides. */
import { capabilityLists } from './capability-lists.ts';
import { drivers, hostPaths, hostPorts, volumeTypes } from './host-access.ts';
import { idStrategy } from './ids.ts';
import { distinct, known, type Part, stated, statedOrUnset, withRoom } from './part.ts';
import { appArmorProfiles, seccompProfiles } from './profiles.ts';
import { ANNOTATIONS, type Psp, type PspSpec, type Strategy } from './psp.ts';
import { sysctls } from './sysctls.ts';
import { PSP_VOLUMES } from './volume-types.ts';

/** @param filling whether unset fields are filled in */
export function pspParts({ spec, annotations }: Psp, filling: boolean): Part[] {
  return [
    capabilityLists(spec, 'spec.', filling),
    flagPart('privileged', spec),
    escalation(spec),
    flagPart('hostNetwork', spec),
    flagPart('hostPID', spec),
    flagPart('hostIPC', spec),
    hostPorts(spec),
    volumeTypes('spec.volumes', spec.volumes, PSP_VOLUMES),
    hostPaths(spec),
    drivers(
      'flexVolumeDrivers',
      'spec.allowedFlexVolumes',
      (spec.allowedFlexVolumes ?? []).map(({ driver = '' }) => driver),
    ),
    drivers(
      'csiDrivers',
      'spec.allowedCSIDrivers',
      (spec.allowedCSIDrivers ?? []).map(({ name = '' }) => name),
    ),
    strategyPart('runAsUser', spec.runAsUser, ['MustRunAs']),
    ...(spec.runAsGroup ? [strategyPart('runAsGroup', spec.runAsGroup)] : []),
    strategyPart('supplementalGroups', spec.supplementalGroups),
    strategyPart('fsGroup', spec.fsGroup),
    seccompProfiles({
      allowed: annotations[ANNOTATIONS.allowedSeccomp]?.split(','),
      default: annotations[ANNOTATIONS.defaultSeccomp] || undefined,
      allowedField: annotationField(ANNOTATIONS.allowedSeccomp),
      defaultField: annotationField(ANNOTATIONS.defaultSeccomp),
    }),
    appArmorProfiles({
      allowed: annotations[ANNOTATIONS.allowedAppArmor]?.split(','),
      default: annotations[ANNOTATIONS.defaultAppArmor] || undefined,
      allowedField: annotationField(ANNOTATIONS.allowedAppArmor),
      defaultField: annotationField(ANNOTATIONS.defaultAppArmor),
    }),
    seLinux(spec),
    procMount(spec),
    sysctls('spec.', spec, SAFE_SYSCTLS),
    readOnlyRootFilesystem(spec),
    runtimeClasses(spec),
  ];
}

function annotationField(key: string): string {
  return `metadata.annotations[${key}]`;
}

/** Unset is false. */
function flagPart(field: 'privileged' | 'hostNetwork' | 'hostPID' | 'hostIPC', spec: PspSpec): Part {
  return { statements: [statedOrUnset(field, spec[field] ?? false, `spec.${field}`, spec[field])] };
}

/** Unset is true: the field is younger than PodSecurityPolicy. */
function escalation({ allowPrivilegeEscalation: allowed, defaultAllowPrivilegeEscalation: filling }: PspSpec): Part {
  return {
    statements: [
      statedOrUnset('allowPrivilegeEscalation', allowed ?? true, 'spec.allowPrivilegeEscalation', allowed),
      // A value that is refused when true is filled in as false anyway.
      ...(filling !== undefined && allowed !== false
        ? [stated('defaultAllowPrivilegeEscalation', filling, 'spec.defaultAllowPrivilegeEscalation')]
        : []),
    ],
  };
}

function strategyPart(field: string, strategy: Strategy = {}, ruled?: readonly string[]): Part {
  const ranges = (strategy.ranges ?? []).map(({ min = 0, max = 0 }) => ({ min, max }));
  return idStrategy(field, `spec.${field}`, { rule: strategy.rule ?? '', ranges }, ruled);
}

function seLinux({ seLinux: { rule, seLinuxOptions } = {} }: PspSpec): Part {
  const field = 'spec.seLinux';
  if (rule !== 'MustRunAs') {
    const text = `${rule} ignores options: as before, they mean nothing`;
    return {
      statements: [stated('seLinux', { rule }, field)],
      remarks: seLinuxOptions ? [known(`${field}.seLinuxOptions`, seLinuxOptions, text)] : [],
    };
  }
  if (!seLinuxOptions) {
    const text = 'MustRunAs without options: the API server accepted it, and it could never admit a pod';
    return { never: known(`${field}.seLinuxOptions`, null, text) };
  }
  const options = Object.fromEntries(Object.entries(seLinuxOptions).filter(([, value]) => value !== ''));
  return { statements: [stated('seLinux', { rule, options }, field)] };
}

/** Unset, in a container or in the policy, means Default. */
function procMount({ allowedProcMountTypes }: PspSpec): Part {
  const field = 'spec.allowedProcMountTypes';
  const types = distinct(allowedProcMountTypes ?? []);
  const any = types.length === 0 ? ['Default'] : types;
  const text = 'refuses containers that leave procMount unset, which is Default: as before';
  return {
    statements: [statedOrUnset('procMount.types', any, field, allowedProcMountTypes)],
    remarks: any.includes('Default') ? [] : [known(field, allowedProcMountTypes, text)],
  };
}

/** k8s.io/kubernetes@v1.24.17 pkg/security/podsecuritypolicy/sysctl SafeSysctlAllowlist. */
const SAFE_SYSCTLS = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
];
function readOnlyRootFilesystem({ readOnlyRootFilesystem: required }: PspSpec): Part {
  return required ? { statements: [stated('readOnlyRootFilesystem', true, 'spec.readOnlyRootFilesystem')] } : {};
}

const MOST_CLASSES = 32;

/** No stanza: any. A list without names admits only unset. */
function runtimeClasses({ runtimeClass }: PspSpec): Part {
  if (!runtimeClass) return {};
  const { allowedRuntimeClassNames: allowed, defaultRuntimeClassName: filling } = runtimeClass;
  const field = 'spec.runtimeClass';
  const any = allowed?.includes('*') ?? false;
  const { kept, remarks } = withRoom(`${field}.allowedRuntimeClassNames`, allowed ?? [], MOST_CLASSES);
  return {
    statements: [
      ...(any ? [] : [statedOrUnset('runtimeClasses.allowed', kept, `${field}.allowedRuntimeClassNames`, allowed)]),
      ...(filling === undefined ? [] : [stated('runtimeClasses.default', filling, `${field}.defaultRuntimeClassName`)]),
    ],
    remarks,
  };
}
