/** PodSecurityPolicies with rare fields and values: some of them the API server accepts, some it does not. */
import fc, { type Arbitrary } from 'fast-check';
import {
  APP_ARMOR_ALLOWED,
  APP_ARMOR_DEFAULT,
  type PodSecurityPolicy,
  type PspSpec,
  SECCOMP_ALLOWED,
  SECCOMP_DEFAULT,
} from './objects.ts';

const range = (min: number, max: number) => ({ min, max });
const BEYOND = range(2147483648, 2147483700);
const WRONG_WAY = range(9, 1);
const NEGATIVE = range(-2, -1);

const IDS = [
  { rule: 'MayRunAs' },
  { rule: 'MustRunAs' },
  { rule: 'MustRunAs', ranges: [] },
  { rule: 'MustRunAs', ranges: [BEYOND] },
  { rule: 'MustRunAs', ranges: [BEYOND, range(1, 1000)] },
  { rule: 'MustRunAs', ranges: [range(1000, 2147483700)] },
  { rule: 'MayRunAs', ranges: [BEYOND] },
  { rule: 'MustRunAs', ranges: [range(1, 5), WRONG_WAY] },
  { rule: 'MustRunAs', ranges: [NEGATIVE] },
  { rule: 'MustRunAsNonRoot', ranges: [range(1, 5)] },
  { rule: 'RunAsAny', ranges: [range(1, 5)] },
  { rule: 'mustRunAs', ranges: [WRONG_WAY] },
  { rule: '' },
  {},
];

/** A field → values that it may get. */
const FIELDS: Readonly<Record<string, readonly unknown[]>> = {
  allowedCapabilities: [[], ['CAP_NET_RAW', 'net_admin', 'ALL'], ['*', 'KILL'], ['NOPE'], ['KILL', 'KILL']],
  requiredDropCapabilities: [['all', 'CAP_KILL'], ['NOPE'], ['KILL', 'KILL', 'ALL'], ['*']],
  defaultAddCapabilities: [['ALL'], ['CAP_SYS_ADMIN'], ['*'], ['kill'], ['KILL', 'CHOWN']],
  defaultAllowPrivilegeEscalation: [true, false],
  allowPrivilegeEscalation: [false],
  hostPorts: [[], [NEGATIVE, range(8080, 80)], [range(1, 70000)], [range(0, 0)]],
  volumes: [[], ['image'], ['none'], ['cephfs', ''], ['*', 'nfs'], ['Secret']],
  allowedHostPaths: [
    [],
    [{ pathPrefix: 'var/log' }],
    [{ pathPrefix: '/var/../etc' }],
    [{ readOnly: true }],
    [{ pathPrefix: '//var' }, { pathPrefix: '/etc/' }],
    [{ pathPrefix: '/var/log', readOnly: true }, { pathPrefix: '/var/log' }],
  ],
  allowedFlexVolumes: [[{}], [{ driver: '' }, { driver: 'a' }], []],
  allowedCSIDrivers: [[{}], [{ name: 'A_b' }], [{ name: 'CSI.example.com' }], [{ name: 'a'.repeat(64) }], []],
  runAsUser: IDS,
  runAsGroup: IDS,
  supplementalGroups: IDS,
  fsGroup: IDS,
  seLinux: [
    {},
    { rule: 'MayRunAs' },
    { rule: 'MustRunAs' },
    { rule: 'MustRunAs', seLinuxOptions: {} },
    { rule: 'MustRunAs', seLinuxOptions: { user: '', level: '' } },
    { rule: 'MustRunAs', seLinuxOptions: { level: 's0-s0:c0.c1023' } },
    { rule: 'RunAsAny', seLinuxOptions: { type: 'a_t' } },
  ],
  allowedUnsafeSysctls: [
    [''],
    ['a.*.b', 'net/core'],
    ['*', 'a'],
    ['net.ipv4.*', 'kernel.msg*'],
    ['Net.Core'],
    ['a..b', 'a.'],
    ['-a', 'a-*', 'a_*'],
    ['kernel.shm_rmid_forced'],
  ],
  forbiddenSysctls: [
    ['*'],
    ['net.ipv4.*', 'net.*'],
    ['kernel.msgmax'],
    ['**'],
    ['net.ipv4.tcp_syncookies', 'a'.repeat(254)],
    ['kernel.*', 'kernel.shm*'],
  ],
  allowedProcMountTypes: [[], ['Unmasked'], ['masked', ''], ['Default', 'Default']],
  runtimeClass: [
    {},
    { allowedRuntimeClassNames: ['A', 'b', 'b'] },
    { allowedRuntimeClassNames: ['*', 'b'] },
    { allowedRuntimeClassNames: ['*'], defaultRuntimeClassName: '' },
    { allowedRuntimeClassNames: ['gvisor'], defaultRuntimeClassName: 'kata' },
    { defaultRuntimeClassName: 'kata' },
  ],
};

const SECCOMP = ['', 'runtime/default', 'docker/default', 'unconfined', 'default', 'localhost/a*', 'localhost/', '*'];
const ANNOTATIONS: Readonly<Record<string, readonly string[]>> = {
  [SECCOMP_ALLOWED]: [...SECCOMP, 'runtime/default,', '*,unconfined', 'localhost/../b,localhost//etc', ','],
  [SECCOMP_DEFAULT]: SECCOMP,
  [APP_ARMOR_ALLOWED]: ['', 'runtime/default,', ',', 'docker/default', 'localhost/a*,unconfined', 'localhost/', '*'],
  [APP_ARMOR_DEFAULT]: ['', 'unconfined', 'localhost/', 'docker/default', 'localhost/a*'],
};

type Content = Pick<PodSecurityPolicy['metadata'], 'annotations'> & { readonly spec?: object };

const ODDITIES: readonly Content[] = [
  ...Object.entries(FIELDS).flatMap(([field, values]) => values.map((value) => ({ spec: { [field]: value } }))),
  ...Object.entries(ANNOTATIONS).flatMap(([key, values]) => values.map((value) => ({ annotations: { [key]: value } }))),
];

/** A policy with one or more oddities. */
export function odd(policies: Arbitrary<PodSecurityPolicy>): Arbitrary<PodSecurityPolicy> {
  const oddities = fc.array(fc.constantFrom(...ODDITIES), { minLength: 1, maxLength: 3 });
  return fc.tuple(policies, oddities).map(([{ metadata, spec, ...rest }, all]) => {
    const annotations = Object.assign({}, metadata.annotations, ...all.map((one) => one.annotations));
    return {
      ...rest,
      metadata: { ...metadata, ...(Object.keys(annotations).length > 0 && { annotations }) },
      spec: Object.assign({}, spec, ...all.map((one) => one.spec)) as PspSpec,
    };
  });
}
