/** The expected migration of each field of SecurityContextConstraints. */
import type { CapabilityPolicyOverrides } from '../../operator/api/capability-policy.ts';

const SAFE = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
];
const ALLOCATED = [{ min: 1000000000, max: 1999999999 }];

/** The result of migrating SecurityContextConstraints with only the required fields. */
export const SCC_UNSET: CapabilityPolicyOverrides = {
  capabilities: { allowedAdd: [] },
  privileged: false,
  allowPrivilegeEscalation: true,
  hostNetwork: false,
  hostPID: false,
  hostIPC: false,
  hostPorts: [],
  volumes: [
    'awsElasticBlockStore',
    'azureDisk',
    'azureFile',
    'cephfs',
    'cinder',
    'configMap',
    'csi',
    'downwardAPI',
    'emptyDir',
    'ephemeral',
    'fc',
    'flexVolume',
    'flocker',
    'gcePersistentDisk',
    'gitRepo',
    'glusterfs',
    'image',
    'iscsi',
    'nfs',
    'persistentVolumeClaim',
    'photonPersistentDisk',
    'portworxVolume',
    'projected',
    'quobyte',
    'rbd',
    'scaleIO',
    'secret',
    'storageos',
    'vsphereVolume',
  ],
  runAsUser: { rule: 'RunAsAny' },
  supplementalGroups: { rule: 'RunAsAny' },
  fsGroup: { rule: 'RunAsAny' },
  seccomp: { types: [], unset: 'Allowed' },
  seLinux: { rule: 'RunAsAny' },
  sysctls: { allowed: SAFE },
};

/**
 * Every SecurityContextConstraints has the two notes CHOICE and SYSCTLS. The note CHOICE is about the choice among
 * several SecurityContextConstraints. The note SYSCTLS is about the sysctls that depend on the nodes.
 */
export const CHOICE =
  'priority: only the CapabilityPolicies with the highest priority would count. So all CapabilityPolicies get priority 0';
export const SYSCTLS = 'allowedUnsafeSysctls: OpenShift calls net.ipv4.ip_local_reserved_ports';

interface SccRow {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly overrides: CapabilityPolicyOverrides;
  /** The expected notes, without CHOICE and SYSCTLS. The form is `field: beginning of the note`. */
  readonly notes?: readonly string[];
}

export const SCC_ROWS: Readonly<Record<string, SccRow>> = {
  'with nothing stated': { fields: {}, overrides: {} },
  'any capability': {
    fields: { allowedCapabilities: ['*'], allowPrivilegedContainer: true },
    overrides: { capabilities: { allowedAdd: ['*'] }, privileged: true },
  },
  'access to the node': {
    fields: { allowHostNetwork: true, allowHostPID: true, allowHostIPC: true, allowHostPorts: true },
    overrides: { hostNetwork: true, hostPID: true, hostIPC: true, hostPorts: [{ min: 1, max: 65535 }] },
  },
  'no volume at all': { fields: { volumes: ['none'] }, overrides: { volumes: [] } },
  'host paths, by their flag': {
    fields: { volumes: ['nfs'], allowHostDirVolumePlugin: true },
    overrides: { volumes: ['hostPath', 'nfs'] },
  },
  'host paths without their flag': {
    fields: { volumes: ['nfs', 'hostPath'] },
    overrides: { volumes: ['nfs'] },
    notes: ['volumes: left out: allowHostDirVolumePlugin overrides this list'],
  },
  'every volume': { fields: { allowHostDirVolumePlugin: true }, overrides: { volumes: ['*'] } },
  drivers: { fields: { allowedFlexVolumes: [{ driver: 'a/b' }] }, overrides: { flexVolumeDrivers: ['a/b'] } },
  'one user': {
    fields: { runAsUser: { type: 'MustRunAs', uid: 1000 } },
    overrides: { runAsUser: { rule: 'MustRunAs', ranges: [{ min: 1000, max: 1000 }] } },
  },
  'a range of users': {
    fields: { runAsUser: { type: 'MustRunAsRange', uidRangeMin: 5, uidRangeMax: 9 } },
    overrides: { runAsUser: { rule: 'MustRunAs', ranges: [{ min: 5, max: 9 }] } },
  },
  "its namespace's users and groups": {
    fields: {
      runAsUser: { type: 'MustRunAsRange' },
      supplementalGroups: { type: 'MustRunAs' },
      fsGroup: { type: 'MustRunAs' },
    },
    overrides: {
      runAsUser: { rule: 'MustRunAs', ranges: ALLOCATED },
      supplementalGroups: { rule: 'MustRunAs', ranges: ALLOCATED },
      fsGroup: { rule: 'MustRunAs', ranges: ALLOCATED },
    },
    notes: [
      "~runAsUser: each pod had to have a user ID of the pod's namespace (annotation openshift.io/sa.scc.uid-range)",
      "~supplementalGroups: each pod had to have the groups of the pod's namespace, or the user IDs if the namespace has no groups (annotation openshift.io/sa.scc.supplemental-groups)",
      'supplementalGroups: the same, except for pods with `supplementalGroups: []`. Such pods were refused before. The API server does not show an empty list to admission policies. So a pod with an empty list counts as a pod without the field, and defaulting gives group 1000000000 to the pod',
      "~fsGroup: each pod had to have the first group of the pod's namespace (annotation openshift.io/sa.scc.supplemental-groups)",
    ],
  },
  'seccomp profiles, of which the first is filled in': {
    fields: { seccompProfiles: ['runtime/default', 'localhost/a'] },
    overrides: {
      seccomp: {
        types: ['RuntimeDefault', 'Localhost'],
        localhostProfiles: ['a'],
        unset: 'RefusedOnPod',
        default: { type: 'RuntimeDefault' },
      },
    },
  },
  'any seccomp profile': {
    fields: { seccompProfiles: ['*'] },
    overrides: { seccomp: { types: ['RuntimeDefault', 'Localhost', 'Unconfined'], unset: 'Allowed' } },
  },
  "SELinux with its namespace's level": {
    fields: { seLinuxContext: { type: 'MustRunAs' } },
    overrides: { seLinux: { rule: 'MustRunAs', options: {} } },
    notes: [
      '~seLinuxContext: pods had to have the SELinux level of their namespace (annotation openshift.io/sa.scc.mcs)',
    ],
  },
  "a type of SELinux, with its namespace's level": {
    fields: { seLinuxContext: { type: 'MustRunAs', seLinuxOptions: { type: 'container_engine_t' } } },
    overrides: { seLinux: { rule: 'MustRunAs', options: { type: 'container_engine_t' } } },
    notes: [
      '~seLinuxContext: pods had to have the SELinux level of their namespace (annotation openshift.io/sa.scc.mcs)',
    ],
  },
  'SELinux options with a level': {
    fields: { seLinuxContext: { type: 'MustRunAs', seLinuxOptions: { level: 's0' } } },
    overrides: { seLinux: { rule: 'MustRunAs', options: { level: 's0' } } },
  },
  'a default for privilege escalation, beside privileged containers': {
    fields: { allowPrivilegedContainer: true, defaultAllowPrivilegeEscalation: false },
    overrides: { privileged: true, defaultAllowPrivilegeEscalation: false },
    notes: [
      '~defaultAllowPrivilegeEscalation: privileged containers that left allowPrivilegeEscalation unset were not changed',
    ],
  },
  'user namespaces': {
    fields: { userNamespaceLevel: 'RequirePodLevel' },
    overrides: { userNamespaces: 'Required' },
    notes: ['~userNamespaceLevel: pods that left hostUsers unset were refused'],
  },
  'capabilities in user namespaces': {
    fields: {
      userNamespaceLevel: 'RequirePodLevel',
      allowedCapabilities: ['NET_ADMIN', 'SETUID'],
      requiredDropCapabilities: ['ALL'],
    },
    overrides: {
      capabilities: { allowedAdd: [], allowedAddInUserNamespace: ['NET_ADMIN', 'SETUID'], requiredDrop: ['ALL'] },
      userNamespaces: 'Required',
    },
    notes: ['~userNamespaceLevel: pods that left hostUsers unset were refused'],
  },
  'any capability in user namespaces': {
    fields: { userNamespaceLevel: 'RequirePodLevel', allowedCapabilities: ['*'], allowPrivilegedContainer: true },
    overrides: {
      capabilities: { allowedAdd: [], allowedAddInUserNamespace: ['*'] },
      privileged: true,
      userNamespaces: 'Required',
    },
    notes: ['~userNamespaceLevel: pods that left hostUsers unset were refused'],
  },
  readOnlyRootFilesystem: { fields: { readOnlyRootFilesystem: true }, overrides: { readOnlyRootFilesystem: true } },
};
