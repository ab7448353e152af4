/** A PodSecurityPolicy's borders, where it distinguishes pods: only a hint for generating pods. */
import type { Profiles, Values } from '../differential/reference/values.ts';
import {
  APP_ARMOR_ALLOWED,
  APP_ARMOR_DEFAULT,
  type PodSecurityPolicy,
  SECCOMP_ALLOWED,
  SECCOMP_DEFAULT,
} from './objects.ts';

const SAFE_SYSCTLS = ['kernel.shm_rmid_forced', 'net.ipv4.tcp_syncookies'];

export function bordersOf({ metadata: { annotations = {} }, spec }: PodSecurityPolicy): Values {
  const { seLinuxOptions } = spec.seLinux;
  const { allowedRuntimeClassNames = [] } = spec.runtimeClass ?? {};
  return {
    capabilities: {
      allowedAdd: spec.allowedCapabilities ?? [],
      requiredDrop: spec.requiredDropCapabilities ?? [],
      defaultAdd: spec.defaultAddCapabilities ?? [],
    },
    'capabilities.allowedBounding': { allowed: ['*'], inUserNamespace: [] },
    privileged: spec.privileged ?? false,
    allowPrivilegeEscalation: spec.allowPrivilegeEscalation ?? true,
    hostNetwork: spec.hostNetwork ?? false,
    hostPID: spec.hostPID ?? false,
    hostIPC: spec.hostIPC ?? false,
    hostProcess: true,
    hostProbes: true,
    hostPorts: spec.hostPorts ?? [],
    volumes: { allowed: spec.volumes ?? [] },
    hostPaths: spec.allowedHostPaths,
    flexVolumeDrivers: spec.allowedFlexVolumes?.map(({ driver }) => driver),
    csiDrivers: spec.allowedCSIDrivers?.map(({ name }) => name),
    runAsNonRoot: false,
    runAsUser: spec.runAsUser,
    runAsGroup: spec.runAsGroup ?? { rule: 'RunAsAny' },
    supplementalGroups: spec.supplementalGroups,
    'supplementalGroups.policy': undefined,
    fsGroup: spec.fsGroup,
    seccomp: { ...profiles(annotations[SECCOMP_ALLOWED], annotations[SECCOMP_DEFAULT]), annotations: false },
    appArmor: profiles(annotations[APP_ARMOR_ALLOWED], annotations[APP_ARMOR_DEFAULT]),
    seLinux: { rule: spec.seLinux.rule, ...(seLinuxOptions && { options: seLinuxOptions }) },
    procMount: { types: spec.allowedProcMountTypes ?? ['Default'], unmaskedInUserNamespace: true },
    sysctls: {
      allowed: [...SAFE_SYSCTLS, ...(spec.allowedUnsafeSysctls ?? [])],
      forbidden: spec.forbiddenSysctls ?? [],
    },
    readOnlyRootFilesystem: spec.readOnlyRootFilesystem ?? false,
    runtimeClasses: { allowed: allowedRuntimeClassNames.filter((name) => name !== '*') },
  };
}

function profiles(allowed = '', filled = ''): Profiles {
  const names = [...allowed.split(','), filled].filter((name) => name !== '' && name !== '*');
  const local = names.flatMap((name) => (name.startsWith('localhost/') ? [name.slice('localhost/'.length)] : []));
  const types = names.map((name) =>
    name === 'unconfined' ? 'Unconfined' : name.startsWith('localhost/') ? 'Localhost' : 'RuntimeDefault',
  );
  return { types, ...(local.length > 0 && { localhostProfiles: local }), unset: 'Allowed' };
}
