/**
 * Values of every field that some rule reads. The policies allow some of the values. Other values are slightly beyond
 * the limit.
 */
import fc, { type Arbitrary } from 'fast-check';
import { CAPABILITIES } from '../../operator/standards/capabilities.ts';
import { ALPHA_FLAGS } from './alpha.ts';
import { exampleSettings, type Setting } from './random-switches.ts';

/**
 * A setting, and the target of the setting. The target is the pod, the pod's metadata, or a container. A missing
 * container is created.
 */
export interface Step extends Setting {
  readonly to: 'pod' | 'metadata' | 'app' | 'second' | 'init' | 'sidecar';
}
/** A group of steps that belong together, such as a mount and its volume. */
export type Steps = readonly Step[];

const ABSENT = fc.constant(undefined);
const BOOLEAN = fc.constantFrom(true, false, undefined);
const HOST = fc.constantFrom('', undefined, '127.0.0.1', 'example.com', ' ', 'exämple.com');

const capabilityName = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('NET_BIND_SERVICE', 'CHOWN', 'NET_RAW', 'SYS_ADMIN', 'SYS_CHROOT') },
  { weight: 1, arbitrary: fc.constantFrom(...CAPABILITIES) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('ALL', 'all', 'CAP_NET_BIND_SERVICE', 'CAP_SYS_ADMIN', 'net_raw', 'nonsense'),
  },
  // Container runtimes read the character U+017F as S and U+0131 as I. JavaScript reads the character U+FB06 as ST, but
  // container runtimes do not.
  {
    weight: 1,
    arbitrary: fc.constantFrom('ſYS_ADMIN', 'cap_sys_admın', 'NET_BROADCAﬆ', 'CHOWN\u0301', 'NET_RAW ', ''),
  },
);
/** Lists whose length exceeds the number of capabilities. All names in these lists are valid names of capabilities. */
const MANY = [256, 257].map((length) => Array.from({ length }, (_, i) => (i % 2 === 0 ? 'CHOWN' : 'NET_BIND_SERVICE')));
const added = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(undefined, [], ['NET_BIND_SERVICE'], ['CHOWN', 'KILL']) },
  { weight: 2, arbitrary: fc.array(capabilityName, { maxLength: 3 }) },
  { weight: 1, arbitrary: fc.constantFrom(...MANY) },
);
const dropped = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(undefined, ['ALL'], ['NET_RAW', 'ALL'], ['all'], ['CAP_ALL'], ['NET_RAW']) },
  { weight: 1, arbitrary: fc.array(capabilityName, { maxLength: 3 }) },
  { weight: 1, arbitrary: fc.constantFrom(...MANY.map((names) => [...names.slice(1), 'ALL'])) },
);

const profile = fc.constantFrom(
  undefined,
  { type: 'RuntimeDefault' },
  { type: 'Localhost', localhostProfile: 'profile' },
  { type: 'Localhost', localhostProfile: 'prоfile' },
  { type: 'Localhost', localhostProfile: 'profile\u0301💥' },
  { type: 'Unconfined' },
);
const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;
export const REFERENCES = [
  `registry.example.com/web@${DIGEST}`,
  'registry.example.com/team/*',
  'docker.io/library/web@*',
];
/** Returns a reference that the given entry of `ociReferences` admits. */
export function namedBy(entry: string): string {
  const named = entry === '*' ? 'registry.example.com/*' : entry;
  return named.endsWith('@*') ? named.replace('*', DIGEST) : named.replace('*', `a/b@${DIGEST}`);
}
export const OCI_PROFILE = fc
  .record({
    ref: fc.constantFrom(
      ...REFERENCES.map(namedBy),
      `registry.example.com/web@${DIGEST.slice(0, -1)}0`,
      `registry.example.com/team@${DIGEST}`,
      `registry.example.com/team2/a@${DIGEST}`,
      `registry.example.com.example.org/team/a@${DIGEST}`,
      `REGISTRY.example.com/web@${DIGEST}`,
      `registry.example.com:443/web@${DIGEST}`,
      `docker.io/library/web2@${DIGEST}`,
    ),
    baseProfile: fc.constantFrom(
      undefined,
      { type: 'RuntimeDefault' },
      { type: 'Localhost', localhostProfile: 'profile' },
      { type: 'Localhost', localhostProfile: 'other' },
    ),
  })
  .map(({ ref, baseProfile }) => ({ type: 'OCI', oci: { ref, ...(baseProfile && { baseProfile }) } }));
/**
 * Whether the API server accepts profiles of type OCI. If the value is false, the API server refuses each pod with a
 * profile of type OCI.
 */
export const ACCEPTS_OCI = ALPHA_FLAGS.length > 0;
const seccompProfile = ACCEPTS_OCI
  ? fc.oneof({ weight: 2, arbitrary: profile }, { weight: 1, arbitrary: OCI_PROFILE })
  : profile;
const seLinux = fc.constantFrom(
  undefined,
  {},
  { type: '' },
  { type: 'container_t' },
  { type: 'container_init_t', level: 's0:c1,c2' },
  { type: 'container_kvm_t', user: '' },
  { type: 'container_engine_t' },
  { type: 'spc_t' },
  { type: 'Container_t' },
  { type: 'container_t\u200b' },
  { type: 'ｃontainer_t', level: 's0:c1,ｃ2' },
  { user: 'system_u' },
  { type: 'container_t', role: 'system_r' },
);
const windowsOptions = fc.constantFrom(
  undefined,
  {},
  { hostProcess: false },
  { hostProcess: true },
  { runAsUserName: 'ContainerUser' },
);
const userId = fc.constantFrom(undefined, 0, 1, 1000);
const groups = fc.oneof(
  { weight: 4, arbitrary: fc.uniqueArray(fc.constantFrom(0, 1, 1000), { maxLength: 2 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(...[1, 1000].map((first) => Array.from({ length: 30 }, (_, i) => first + i))),
  },
);

const sysctl = fc.constantFrom(
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_wmem',
  'net.ipv4.tcp_notsent_lowat',
  'net.ipv4.tcp_slow_start_after_idle',
  'net/ipv4/tcp_syncookies',
  'net.ipv4.ip_forward',
  'kernel.msgmax',
);
const sysctls = fc.uniqueArray(sysctl, { maxLength: 3 }).map((names) => names.map((name) => ({ name, value: '1' })));

/**
 * The token volume that nearly every pod has (k8s.io/kubernetes/plugin/pkg/admission/serviceaccount TokenVolumeSource).
 */
const TOKEN = { serviceAccountToken: { path: 'token' } };
const CERTIFICATE = { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } };
const NAMESPACE = { downwardAPI: { items: [{ path: 'namespace', fieldRef: { fieldPath: 'metadata.namespace' } }] } };

const VOLUME_SOURCES: readonly object[] = [
  {},
  { emptyDir: {} },
  { emptyDir: { medium: 'Memory' } },
  { configMap: { name: 'a' } },
  { secret: { secretName: 'a' } },
  { downwardAPI: { items: [] } },
  { projected: { sources: [] } },
  { projected: { sources: [TOKEN, CERTIFICATE, NAMESPACE] } },
  { projected: { sources: [TOKEN, { secret: { name: 'a' } }] } },
  { projected: { sources: [{ serviceAccountToken: { path: 'token', audience: 'vault' } }] } },
  { persistentVolumeClaim: { claimName: 'a' } },
  { csi: { driver: 'csi.example.com' } },
  { image: { reference: 'registry.example.com/a:1' } },
  {
    ephemeral: {
      volumeClaimTemplate: {
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      },
    },
  },
  { hostPath: { path: '/var/log' } },
  { hostPath: { path: '/', type: 'Directory' } },
  { hostPath: { path: '/vаr/log' } },
  { hostPath: { path: '/var/log/💥\u202e' } },
  { nfs: { server: 'nfs.example.com', path: '/' } },
  { iscsi: { targetPortal: '192.0.2.1', iqn: 'iqn.2001-04.com.example:storage', lun: 0 } },
  { fc: { targetWWNs: ['500a0982991b8dc5'], lun: 0 } },
  { flexVolume: { driver: 'example/driver' } },
  { flexVolume: { driver: 'exampłe/driver' } },
  { cephfs: { monitors: ['192.0.2.1'] } },
  { rbd: { monitors: ['192.0.2.1'], image: 'a' } },
  { cinder: { volumeID: 'a' } },
  { gitRepo: { repository: 'https://example.com/a.git' } },
  { azureFile: { secretName: 'a', shareName: 'b' } },
  { azureDisk: { diskName: 'a', diskURI: 'https://blob.example.com/a' } },
  { awsElasticBlockStore: { volumeID: 'a' } },
  { gcePersistentDisk: { pdName: 'a' } },
  { vsphereVolume: { volumePath: 'a' } },
  { glusterfs: { endpoints: 'a', path: 'b' } },
  { portworxVolume: { volumeID: 'a' } },
  { scaleIO: { gateway: 'a', system: 'b', secretRef: { name: 'c' }, volumeName: 'd' } },
  { storageos: { volumeName: 'a' } },
  { quobyte: { registry: '192.0.2.1:7861', volume: 'a' } },
  { photonPersistentDisk: { pdID: 'a' } },
  { flocker: { datasetName: 'a' } },
];
const volumes = fc
  .array(
    fc.oneof(
      { weight: 1, arbitrary: fc.constantFrom(...VOLUME_SOURCES.slice(0, 11)) },
      { weight: 1, arbitrary: fc.constantFrom(...VOLUME_SOURCES) },
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((sources) => sources.map((source, index) => ({ name: `volume-${index}`, ...source })));

const ports = fc
  .uniqueArray(
    fc.record(
      { containerPort: fc.constantFrom(80, 8080, 9090), hostPort: fc.constantFrom(0, 80, 8080) },
      { requiredKeys: ['containerPort'] },
    ),
    { maxLength: 2, selector: ({ containerPort }) => containerPort },
  )
  .map((list) => list.map((port, index) => ({ name: `port-${index}`, ...port })));

const handler = fc.oneof(
  HOST.map((host) => ({ httpGet: { port: 80, host } })),
  HOST.map((host) => ({ tcpSocket: { port: 80, host } })),
  fc.constant({ exec: { command: ['true'] } }),
);
const probe = fc.oneof(ABSENT, handler, fc.constant({ grpc: { port: 80 } }));
const lifecycle = fc.record({ postStart: handler, preStop: handler }, { requiredKeys: [] });

function field<T>(path: string, value: Arbitrary<T>): Arbitrary<Setting> {
  return value.map((one) => ({ path: path.split('.'), value: one }));
}

export const POD_FIELD: Arbitrary<Setting> = fc.oneof(
  { weight: 3, arbitrary: field('securityContext.sysctls', sysctls) },
  { weight: 3, arbitrary: field('volumes', volumes) },
  field('securityContext', fc.constantFrom(undefined, {})),
  field('securityContext.runAsNonRoot', BOOLEAN),
  field('securityContext.runAsUser', userId),
  field('securityContext.runAsGroup', userId),
  field('securityContext.fsGroup', userId),
  field('securityContext.supplementalGroups', groups),
  field('securityContext.supplementalGroupsPolicy', fc.constantFrom(undefined, 'Merge', 'Strict')),
  field('securityContext.seccompProfile', seccompProfile),
  field('securityContext.appArmorProfile', profile),
  field('securityContext.seLinuxOptions', seLinux),
  field('securityContext.windowsOptions', windowsOptions),
  field('hostNetwork', BOOLEAN),
  field('hostPID', BOOLEAN),
  field('hostIPC', BOOLEAN),
  field('hostUsers', BOOLEAN),
  field('os', fc.constantFrom(undefined, { name: 'linux' }, { name: 'windows' })),
  { weight: 2, arbitrary: exampleSettings('spec') },
);

/** Random fields of a container. Ephemeral containers may also have these fields. */
export const SECURITY_FIELD: Arbitrary<Setting> = fc.oneof(
  field('securityContext', fc.constantFrom(undefined, {})),
  { weight: 3, arbitrary: field('securityContext.capabilities.add', added) },
  field('securityContext.capabilities.drop', dropped),
  field('securityContext.capabilities', fc.constantFrom(undefined, {})),
  field('securityContext.privileged', BOOLEAN),
  field('securityContext.allowPrivilegeEscalation', BOOLEAN),
  field('securityContext.runAsNonRoot', BOOLEAN),
  field('securityContext.runAsUser', userId),
  field('securityContext.runAsGroup', userId),
  field('securityContext.readOnlyRootFilesystem', BOOLEAN),
  field('securityContext.procMount', fc.constantFrom(undefined, 'Default', 'Unmasked')),
  field('securityContext.seccompProfile', seccompProfile),
  field('securityContext.appArmorProfile', profile),
  field('securityContext.seLinuxOptions', seLinux),
  field('securityContext.windowsOptions', windowsOptions),
);

export const CONTAINER_FIELD: Arbitrary<Setting> = fc.oneof(
  { weight: 15, arbitrary: SECURITY_FIELD },
  { weight: 1, arbitrary: field('ports', ports) },
  { weight: 1, arbitrary: field('livenessProbe', probe) },
  { weight: 1, arbitrary: field('readinessProbe', probe) },
  { weight: 1, arbitrary: field('startupProbe', probe) },
  { weight: 2, arbitrary: field('lifecycle', lifecycle) },
  { weight: 2, arbitrary: exampleSettings('container') },
);

const APP_ARMOR_VALUES = ['runtime/default', 'localhost/profile', 'unconfined', '', 'localhost/', 'complain'];
/** Odd values of annotations. The odd values differ slightly from valid values, or have no effect. */
const ODD_VALUES = [' ', 'runtime/default ', 'Runtime/Default', 'unconfıned', 'localhost/prоfile', '💥'];
const SECCOMP_VALUES = ['runtime/default', 'docker/default', 'localhost/profile', 'unconfined', ''];

/** Names of containers, including ephemeral containers that are added later. No container has the last name. */
const ANNOTATED = fc.constantFrom('app', 'init', 'second', 'debug', 'debug-0-0', 'other');

export const ANNOTATION: Arbitrary<Setting> = fc.oneof(
  fc
    .tuple(ANNOTATED, fc.constantFrom(...APP_ARMOR_VALUES, ...APP_ARMOR_VALUES, ...ODD_VALUES))
    .map(([container, value]) => ({ path: [`container.apparmor.security.beta.kubernetes.io/${container}`], value })),
  fc
    .tuple(ANNOTATED, fc.constantFrom(...SECCOMP_VALUES, ...ODD_VALUES))
    .map(([container, value]) => ({ path: [`container.seccomp.security.alpha.kubernetes.io/${container}`], value })),
  fc
    .constantFrom(...SECCOMP_VALUES, ...ODD_VALUES)
    .map((value) => ({ path: ['seccomp.security.alpha.kubernetes.io/pod'], value })),
);
