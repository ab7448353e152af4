/** Overrides that together make every rule restrict something, in each form that has a separate text. */
import type { CapabilityPolicyOverrides } from '../../operator/api/capability-policy.ts';

const RANGES = [
  { min: 1, max: 2 },
  { min: 5, max: 9 },
  { min: 100, max: 199 },
];

/** For the rules that restrict nothing at any level. */
export const NARROW: CapabilityPolicyOverrides = {
  capabilities: { allowedBounding: [], allowedAddInUserNamespace: ['SYS_PTRACE'] },
  hostPaths: [{ pathPrefix: '/var/log', readOnly: true }],
  flexVolumeDrivers: [],
  csiDrivers: [],
  runAsUser: { rule: 'MustRunAs', ranges: [{ min: 1, max: 2 }] },
  runAsGroup: { rule: 'MustRunAs', ranges: [{ min: 1, max: 2 }] },
  supplementalGroups: { rule: 'MustRunAs', ranges: [{ min: 1, max: 2 }], policy: 'Strict' },
  fsGroup: { rule: 'MustRunAs', ranges: [{ min: 1, max: 2 }] },
  defaultAllowPrivilegeEscalation: false,
  appArmor: { unset: 'Refused', default: { type: 'RuntimeDefault' } },
  seLinux: { rule: 'MustRunAs', options: { type: 'container_t' } },
  readOnlyRootFilesystem: true,
  runtimeClasses: { allowed: [] },
};

export const ALTERNATIVES: readonly CapabilityPolicyOverrides[] = [
  {},
  NARROW,
  {
    capabilities: { allowedAdd: ['CHOWN'], requiredDrop: ['NET_RAW', 'MKNOD'], defaultAdd: ['KILL'], dropByName: true },
    privileged: false,
    allowPrivilegeEscalation: false,
    hostNetwork: false,
    hostPID: false,
    hostIPC: false,
    hostProcess: false,
    hostProbes: false,
    hostPorts: RANGES,
    volumes: ['secret'],
    serviceAccountTokenVolumes: true,
    hostPaths: [{ pathPrefix: '/var', readOnly: true }, { pathPrefix: '/var/log' }],
    flexVolumeDrivers: ['example.com/driver'],
    csiDrivers: ['example.com'],
    runAsNonRoot: true,
    runAsUser: { rule: 'MustRunAsNonRoot' },
    runAsGroup: { rule: 'MayRunAs', ranges: RANGES },
    supplementalGroups: { rule: 'MayRunAs', ranges: RANGES, policy: 'Strict' },
    fsGroup: { rule: 'MayRunAs', ranges: RANGES },
    seccomp: { types: ['RuntimeDefault', 'Localhost'], localhostProfiles: ['a', 'b/*'], unset: 'RefusedOnPod' },
    appArmor: { types: ['RuntimeDefault', 'Localhost'], localhostProfiles: ['a', 'b/*'], unset: 'Refused' },
    seLinux: { rule: 'MustRunAs', options: { user: 'u', role: 'r', type: 't', level: 's0:c1,c2' } },
    procMount: { types: ['Unmasked'] },
    sysctls: { allowed: ['net.*', 'kernel.shm_rmid_forced'], forbidden: ['kernel.*', 'net.ipv4.tcp_rmem'] },
    readOnlyRootFilesystem: true,
    runtimeClasses: { allowed: ['gvisor'], default: 'gvisor' },
  },
  { runAsUser: { rule: 'NotZero' }, seLinux: { rule: 'PodSecurityStandard' }, seccomp: { unset: 'Refused' } },
  { runAsUser: { rule: 'MustRunAs', ranges: RANGES }, capabilities: { requiredDrop: ['NET_RAW', 'MKNOD'] } },
  { capabilities: { allowedAdd: [], allowedAddInUserNamespace: ['*'], allowedBounding: ['CHOWN'] } },
];
