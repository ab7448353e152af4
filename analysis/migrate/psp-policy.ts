/**
 * Migrates the fields of a PodSecurityPolicy to values of a CapabilityPolicy, in the order of the policy's overrides.
 */
import { capabilityLists } from './capability-lists.ts';
import { drivers, hostPaths, hostPorts, volumeTypes } from './host-access.ts';
import { idStrategy } from './ids.ts';
import { distinct, known, type MigratedField, stated, statedOrUnset, withRoom } from './migrated-field.ts';
import { appArmorProfiles, seccompProfiles } from './profiles.ts';
import { ANNOTATIONS, type Psp, type PspSpec } from './psp.ts';
import { escalation, flag, readOnlyRootFilesystem, statedOptions } from './shared-fields.ts';
import { SAFE_SYSCTLS, sysctls } from './sysctls.ts';
import { PSP_VOLUMES } from './volume-types.ts';

/** @param filling whether unset fields are filled in */
export function pspFields({ spec, annotations }: Psp, filling: boolean): MigratedField[] {
  const profiles = (allowed: string, filled: string) => ({
    allowed: annotations[allowed]?.split(','),
    default: annotations[filled] || undefined,
    allowedField: `metadata.annotations[${allowed}]`,
    defaultField: `metadata.annotations[${filled}]`,
  });
  return [
    capabilityLists(spec, 'spec.', filling),
    flag('privileged', 'spec.privileged', spec.privileged),
    escalation('spec.', spec),
    flag('hostNetwork', 'spec.hostNetwork', spec.hostNetwork),
    flag('hostPID', 'spec.hostPID', spec.hostPID),
    flag('hostIPC', 'spec.hostIPC', spec.hostIPC),
    hostPorts(spec),
    volumeTypes('spec.volumes', spec.volumes, PSP_VOLUMES),
    hostPaths(spec),
    drivers(
      'flexVolumeDrivers',
      'spec.allowedFlexVolumes',
      spec.allowedFlexVolumes?.map(({ driver = '' }) => driver),
    ),
    drivers(
      'csiDrivers',
      'spec.allowedCSIDrivers',
      spec.allowedCSIDrivers?.map(({ name = '' }) => name),
    ),
    idStrategy('runAsUser', 'spec.runAsUser', spec.runAsUser, ['MustRunAs']),
    ...(spec.runAsGroup ? [idStrategy('runAsGroup', 'spec.runAsGroup', spec.runAsGroup)] : []),
    idStrategy('supplementalGroups', 'spec.supplementalGroups', spec.supplementalGroups),
    idStrategy('fsGroup', 'spec.fsGroup', spec.fsGroup),
    seccompProfiles(profiles(ANNOTATIONS.allowedSeccomp, ANNOTATIONS.defaultSeccomp)),
    appArmorProfiles(profiles(ANNOTATIONS.allowedAppArmor, ANNOTATIONS.defaultAppArmor)),
    seLinux(spec),
    procMount(spec),
    sysctls('spec.', spec, SAFE_SYSCTLS),
    readOnlyRootFilesystem('spec.', spec),
    runtimeClasses(spec),
  ];
}

function seLinux({ seLinux: { rule, seLinuxOptions } = {} }: PspSpec): MigratedField {
  const field = 'spec.seLinux';
  if (rule !== 'MustRunAs') {
    const text = `${rule} ignores options, as before`;
    return {
      statements: [stated('seLinux', { rule }, field)],
      remarks: seLinuxOptions ? [known(`${field}.seLinuxOptions`, seLinuxOptions, text)] : [],
    };
  }
  if (!seLinuxOptions) {
    const text =
      'MustRunAs without options: the API server accepted this policy, but the policy could never admit a pod';
    return { never: known(`${field}.seLinuxOptions`, null, text) };
  }
  return { statements: [stated('seLinux', { rule, options: statedOptions(seLinuxOptions) }, field)] };
}

/**
 * Migrates the allowed types of procMount. In a container and in the PodSecurityPolicy, an unset field means Default.
 */
function procMount({ allowedProcMountTypes }: PspSpec): MigratedField {
  const field = 'spec.allowedProcMountTypes';
  const types = distinct(allowedProcMountTypes ?? []);
  const any = types.length === 0 ? ['Default'] : types;
  const text = 'the policy still refuses containers that leave procMount unset, since an unset procMount means Default';
  return {
    statements: [statedOrUnset('procMount.types', any, field, allowedProcMountTypes)],
    remarks: any.includes('Default') ? [] : [known(field, allowedProcMountTypes, text)],
  };
}

const MOST_CLASSES = 32;

/**
 * Migrates runtime classes. Without the field `runtimeClass`, any runtime class is admitted. With an empty list of
 * names, only a pod without a runtime class is admitted.
 */
function runtimeClasses({ runtimeClass }: PspSpec): MigratedField {
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
