/** Known verdicts of Kubernetes 1.24 with PodSecurityPolicy. Each verdict is about one behaviour. */
import {
  APP_ARMOR_ALLOWED,
  APP_ARMOR_DEFAULT,
  APP_ARMOR_OF_CONTAINER,
  OPEN_SPEC,
  type PspSpec,
  SECCOMP_ALLOWED,
  SECCOMP_DEFAULT,
  STRATEGIES,
} from './objects.ts';

export interface Known {
  readonly title: string;
  readonly spec: PspSpec;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Fields of the pod. The only container of the pod is `app`. */
  readonly pod?: {
    readonly spec?: object;
    readonly container?: object;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  /**
   * The answer of Kubernetes 1.24. The value `invalid` means that PodSecurityPolicy filled in values that made the pod
   * invalid. A current API server refuses a pod if filling in values would make the pod invalid.
   */
  readonly answer: 'admitted' | 'refused' | 'invalid';
  /**
   * The expected results of securityOf(). The test compares only the fields that `becomes` contains. For containers,
   * the results are about the container `app`.
   */
  readonly becomes?: object;
}

type Pod = NonNullable<Known['pod']>;
type Told = Known['answer'];

const secured = (securityContext: object): Pod => ({ container: { securityContext } });
const podSecured = (securityContext: object): Pod => ({ spec: { securityContext } });
const open = (fields: Partial<PspSpec>): PspSpec => ({ ...OPEN_SPEC, ...fields });
const bare = (fields: Partial<PspSpec>): PspSpec => ({ ...STRATEGIES, ...fields });
const row = (title: string, spec: PspSpec, pod: Pod, answer: Told, becomes?: object): Known => ({
  title,
  spec,
  pod,
  answer,
  ...(becomes && { becomes }),
});

const ranges = (...all: (readonly [number, number])[]) => all.map(([min, max]) => ({ min, max }));
const mounted = (path: string, readOnly?: boolean): Pod => ({
  spec: { volumes: [{ name: 'node', hostPath: { path } }] },
  container: { volumeMounts: [{ name: 'node', mountPath: '/node', ...(readOnly !== undefined && { readOnly }) }] },
});
const volume = (source: object): Pod => ({ spec: { volumes: [{ name: 'one', ...source }] } });
const port = (hostPort: number): Pod => ({ container: { ports: [{ containerPort: 80, hostPort }] } });
const sysctl = (name: string): Pod => podSecured({ sysctls: [{ name, value: '1' }] });
const confined = (value: string): Pod => ({ annotations: { [`${APP_ARMOR_OF_CONTAINER}app`]: value } });
const TOKEN = {
  projected: {
    sources: [
      { serviceAccountToken: { path: 'token', expirationSeconds: 3607 } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      {
        downwardAPI: {
          items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
        },
      },
    ],
  },
};

const CAPABILITIES: readonly Known[] = [
  row('unset allowed refuses every add', bare({}), secured({ capabilities: { add: ['KILL'] } }), 'refused'),
  row(
    'CAP_ is not stripped',
    bare({ allowedCapabilities: ['KILL'] }),
    secured({ capabilities: { add: ['CAP_KILL'] } }),
    'refused',
  ),
  row(
    'ALL is not a wildcard',
    bare({ allowedCapabilities: ['ALL'] }),
    secured({ capabilities: { add: ['KILL'] } }),
    'refused',
  ),
  row(
    'ALL allows ALL',
    bare({ allowedCapabilities: ['ALL'] }),
    secured({ capabilities: { add: ['ALL'] } }),
    'admitted',
  ),
  row(
    '* allows what is not a capability',
    bare({ allowedCapabilities: ['*'] }),
    secured({ capabilities: { add: ['x'] } }),
    'admitted',
  ),
  row('defaults are added', bare({ defaultAddCapabilities: ['KILL'] }), {}, 'admitted', { add: ['KILL'] }),
  row(
    'a default that is dropped is not added',
    bare({ defaultAddCapabilities: ['KILL'] }),
    secured({ capabilities: { drop: ['KILL'] } }),
    'admitted',
    { add: [], drop: ['KILL'] },
  ),
  row(
    'drop ALL does not prevent a default',
    bare({ defaultAddCapabilities: ['KILL'] }),
    secured({ capabilities: { drop: ['ALL'] } }),
    'admitted',
    { add: ['KILL'], drop: ['ALL'] },
  ),
  row(
    'drops are filled in',
    bare({ requiredDropCapabilities: ['NET_RAW'] }),
    secured({ capabilities: { drop: ['KILL'] } }),
    'admitted',
    { drop: ['KILL', 'NET_RAW'] },
  ),
  row(
    'drop ALL is admitted where NET_RAW is required',
    bare({ requiredDropCapabilities: ['NET_RAW'] }),
    secured({ capabilities: { drop: ['ALL'] } }),
    'admitted',
    { drop: ['ALL', 'NET_RAW'] },
  ),
];

const PRIVILEGE: readonly Known[] = [
  row('unset allowPrivilegeEscalation allows it', bare({}), secured({ allowPrivilegeEscalation: true }), 'admitted'),
  row(
    'false refuses true',
    bare({ allowPrivilegeEscalation: false }),
    secured({ allowPrivilegeEscalation: true }),
    'refused',
  ),
  row('false is filled in', bare({ allowPrivilegeEscalation: false }), {}, 'admitted', {
    allowPrivilegeEscalation: false,
  }),
  row(
    'false makes a privileged container invalid',
    open({ allowPrivilegeEscalation: false }),
    secured({ privileged: true }),
    'invalid',
  ),
  row(
    'false makes one that adds CAP_SYS_ADMIN invalid',
    open({ allowPrivilegeEscalation: false }),
    secured({ capabilities: { add: ['CAP_SYS_ADMIN'] } }),
    'invalid',
  ),
  row(
    'false lets SYS_ADMIN pass',
    open({ allowPrivilegeEscalation: false }),
    secured({ capabilities: { add: ['SYS_ADMIN'] } }),
    'admitted',
  ),
  row('the default is filled in', bare({ defaultAllowPrivilegeEscalation: false }), {}, 'admitted', {
    allowPrivilegeEscalation: false,
  }),
  row('unset privileged refuses', bare({}), secured({ privileged: true }), 'refused'),
  row('unset hostPID refuses', bare({}), { spec: { hostPID: true } }, 'refused'),
  row('unset hostPorts refuses', bare({}), port(80), 'refused'),
  row('a port in the range', bare({ hostPorts: ranges([80, 81]) }), port(81), 'admitted'),
  row('a port beyond the range', bare({ hostPorts: ranges([80, 81]) }), port(82), 'refused'),
  row(
    'in the host network ports are host ports',
    bare({ hostNetwork: true }),
    { spec: { hostNetwork: true }, container: { ports: [{ containerPort: 80 }] } },
    'refused',
  ),
];

const VOLUMES: readonly Known[] = [
  row('unset refuses all', bare({}), volume({ emptyDir: {} }), 'refused'),
  row('a volume without a source is an emptyDir', bare({ volumes: ['emptyDir'] }), volume({}), 'admitted'),
  row('the token passes with secret', bare({ volumes: ['secret'] }), volume(TOKEN), 'admitted'),
  row(
    'an empty projection does too',
    bare({ volumes: ['secret'] }),
    volume({ projected: { sources: [] } }),
    'admitted',
  ),
  row(
    'other projections do not',
    bare({ volumes: ['secret'] }),
    volume({ projected: { sources: [{ secret: { name: 'a' } }] } }),
    'refused',
  ),
  row('/foo matches /foo/x', open({ allowedHostPaths: [{ pathPrefix: '/foo' }] }), mounted('/foo/x'), 'admitted'),
  row('/foo matches /foo/', open({ allowedHostPaths: [{ pathPrefix: '/foo' }] }), mounted('/foo/'), 'admitted'),
  row(
    '/foo does not match /foobar',
    open({ allowedHostPaths: [{ pathPrefix: '/foo' }] }),
    mounted('/foobar'),
    'refused',
  ),
  row('/foo does not match //foo', open({ allowedHostPaths: [{ pathPrefix: '/foo' }] }), mounted('//foo'), 'refused'),
  row(
    'readOnly requires read-only mounts',
    open({ allowedHostPaths: [{ pathPrefix: '/foo', readOnly: true }] }),
    mounted('/foo'),
    'refused',
  ),
  row(
    'and takes them',
    open({ allowedHostPaths: [{ pathPrefix: '/foo', readOnly: true }] }),
    mounted('/foo', true),
    'admitted',
  ),
  row(
    'a writable prefix wins',
    open({ allowedHostPaths: [{ pathPrefix: '/foo', readOnly: true }, { pathPrefix: '/' }] }),
    mounted('/foo'),
    'admitted',
  ),
  row(
    'without mounts readOnly requires nothing',
    open({ allowedHostPaths: [{ pathPrefix: '/foo', readOnly: true }] }),
    volume({ hostPath: { path: '/foo' } }),
    'admitted',
  ),
  row(
    'a listed driver',
    open({ allowedFlexVolumes: [{ driver: 'a/b' }] }),
    volume({ flexVolume: { driver: 'a/b' } }),
    'admitted',
  ),
  row(
    'another driver',
    open({ allowedFlexVolumes: [{ driver: 'a/b' }] }),
    volume({ flexVolume: { driver: 'a/c' } }),
    'refused',
  ),
  row(
    'another CSI driver',
    open({ allowedCSIDrivers: [{ name: 'a.example.com' }] }),
    volume({ csi: { driver: 'b.example.com' } }),
    'refused',
  ),
];

const NON_ROOT = bare({ runAsUser: { rule: 'MustRunAsNonRoot' } });
const USERS = bare({ runAsUser: { rule: 'MustRunAs', ranges: ranges([1000, 1001], [5, 6]) } });

const IDS: readonly Known[] = [
  row('the first minimum is filled in', USERS, {}, 'admitted', { runAsUser: 1000 }),
  row('a user of the second range', USERS, secured({ runAsUser: 6 }), 'admitted'),
  row('a user of none', USERS, secured({ runAsUser: 7 }), 'refused'),
  row(
    'MustRunAs without ranges admits nothing',
    bare({ runAsUser: { rule: 'MustRunAs' } }),
    secured({ runAsUser: 7 }),
    'refused',
  ),
  row('MustRunAsNonRoot accepts a user', NON_ROOT, secured({ runAsUser: 1000 }), 'admitted', { runAsNonRoot: false }),
  row('MustRunAsNonRoot refuses false', NON_ROOT, secured({ runAsUser: 1000, runAsNonRoot: false }), 'refused'),
  row('MustRunAsNonRoot is filled in', NON_ROOT, {}, 'admitted', { runAsNonRoot: true }),
  row(
    'only effective users count',
    NON_ROOT,
    { ...podSecured({ runAsUser: 0 }), ...secured({ runAsUser: 1000 }) },
    'admitted',
  ),
  row('MustRunAs fills groups', bare({ fsGroup: { rule: 'MustRunAs', ranges: ranges([7, 9]) } }), {}, 'admitted', {
    fsGroup: 7,
  }),
  row('MayRunAs does not', bare({ fsGroup: { rule: 'MayRunAs', ranges: ranges([7, 9]) } }), {}, 'admitted', {
    fsGroup: undefined,
  }),
  row(
    'groups are filled in',
    bare({ supplementalGroups: { rule: 'MustRunAs', ranges: ranges([7, 9]) } }),
    {},
    'admitted',
    { supplementalGroups: [7] },
  ),
];

const LABELLED = bare({ seLinux: { rule: 'MustRunAs', seLinuxOptions: { type: 'a_t', level: 's0:c1,c2' } } });
const profiles = (
  title: string,
  annotations: Readonly<Record<string, string>>,
  pod: Pod,
  answer: Told,
  becomes?: object,
) => ({
  ...row(title, bare({}), pod, answer, becomes),
  annotations,
});
const RUNTIME_DEFAULT = { seccompProfile: { type: 'RuntimeDefault' } };

const LABELS: readonly Known[] = [
  row('SELinux options are filled in', LABELLED, {}, 'admitted', {
    seLinuxOptions: { type: 'a_t', level: 's0:c1,c2' },
  }),
  row(
    'the order of categories does not matter',
    LABELLED,
    podSecured({ seLinuxOptions: { type: 'a_t', level: 's0:c2,c1' } }),
    'admitted',
  ),
  row(
    'all four fields must be equal',
    LABELLED,
    podSecured({ seLinuxOptions: { type: 'a_t', level: 's0:c1,c2', user: 'u' } }),
    'refused',
  ),
  row(
    'MustRunAs without options admits nothing',
    bare({ seLinux: { rule: 'MustRunAs' } }),
    podSecured({ seLinuxOptions: { type: 'a_t' } }),
    'refused',
  ),
  profiles('no list refuses any profile', {}, podSecured(RUNTIME_DEFAULT), 'refused'),
  profiles('a list refuses none', { [SECCOMP_ALLOWED]: 'runtime/default' }, {}, 'refused'),
  profiles(
    'unless the default is filled in',
    { [SECCOMP_ALLOWED]: 'runtime/default', [SECCOMP_DEFAULT]: 'runtime/default' },
    {},
    'admitted',
    RUNTIME_DEFAULT,
  ),
  profiles(
    'docker/default is runtime/default',
    { [SECCOMP_ALLOWED]: 'docker/default' },
    podSecured(RUNTIME_DEFAULT),
    'admitted',
  ),
  profiles('a default without a list refuses', { [SECCOMP_DEFAULT]: 'runtime/default' }, {}, 'refused'),
  profiles(
    'a list requires the profile on the pod too',
    { [SECCOMP_ALLOWED]: 'runtime/default' },
    secured(RUNTIME_DEFAULT),
    'refused',
  ),
  profiles('* takes all and none', { [SECCOMP_ALLOWED]: '*' }, {}, 'admitted'),
  profiles('no AppArmor list accepts everything', {}, confined('unconfined'), 'admitted', { appArmor: 'unconfined' }),
  profiles('an AppArmor list refuses none', { [APP_ARMOR_ALLOWED]: 'runtime/default' }, {}, 'refused'),
  profiles('a trailing comma does too', { [APP_ARMOR_ALLOWED]: 'runtime/default,' }, {}, 'refused'),
  profiles('an AppArmor default is filled in', { [APP_ARMOR_DEFAULT]: 'runtime/default' }, {}, 'admitted', {
    appArmor: 'runtime/default',
  }),
];

const OTHERS: readonly Known[] = [
  row('unset procMounts accept Default', bare({}), secured({ procMount: 'Unmasked' }), 'refused'),
  row('Unmasked alone refuses unset', bare({ allowedProcMountTypes: ['Unmasked'] }), {}, 'refused'),
  row('a safe sysctl', bare({}), sysctl('net.ipv4.tcp_syncookies'), 'admitted'),
  row('one that is not', bare({}), sysctl('net.ipv4.tcp_rmem'), 'refused'),
  row('forbidden beats safe', bare({ forbiddenSysctls: ['net.ipv4.*'] }), sysctl('net.ipv4.tcp_syncookies'), 'refused'),
  row(
    'an unsafe one that is allowed',
    bare({ allowedUnsafeSysctls: ['net.ipv4.*'] }),
    sysctl('net.ipv4.tcp_rmem'),
    'admitted',
  ),
  row('no stanza accepts any runtime class', bare({}), { spec: { runtimeClassName: 'runc' } }, 'admitted'),
  row(
    'an empty list accepts none',
    bare({ runtimeClass: { allowedRuntimeClassNames: [] } }),
    { spec: { runtimeClassName: 'runc' } },
    'refused',
  ),
  row('unset passes', bare({ runtimeClass: { allowedRuntimeClassNames: [] } }), {}, 'admitted'),
  row(
    'a default is filled in',
    bare({ runtimeClass: { allowedRuntimeClassNames: ['*'], defaultRuntimeClassName: 'kata' } }),
    {},
    'admitted',
    { runtimeClassName: 'kata' },
  ),
  row('a read-only root is filled in', bare({ readOnlyRootFilesystem: true }), {}, 'admitted', {
    readOnlyRootFilesystem: true,
  }),
  row(
    'a writable one is refused',
    bare({ readOnlyRootFilesystem: true }),
    secured({ readOnlyRootFilesystem: false }),
    'refused',
  ),
];

export const KNOWN: readonly Known[] = [...CAPABILITIES, ...PRIVILEGE, ...VOLUMES, ...IDS, ...LABELS, ...OTHERS];
