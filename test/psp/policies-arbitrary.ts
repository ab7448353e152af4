/** Random PodSecurityPolicies over all fields: few values for each, so that pods often match them. */
import fc, { type Arbitrary } from 'fast-check';
import {
  APP_ARMOR_ALLOWED,
  APP_ARMOR_DEFAULT,
  OPEN_ANNOTATIONS,
  OPEN_SPEC,
  type PodSecurityPolicy,
  type PspSpec,
  psp,
  SECCOMP_ALLOWED,
  SECCOMP_DEFAULT,
  STRATEGIES,
} from './objects.ts';
import { odd } from './odd-policies.ts';

interface Content {
  readonly spec: Partial<PspSpec>;
  readonly annotations: Readonly<Record<string, string>>;
}

const one = <T>(...values: readonly T[]) => fc.constantFrom(...values);
const some = <T>(...values: T[]) => fc.subarray(values);

const CAPABILITIES = ['CHOWN', 'KILL', 'NET_BIND_SERVICE', 'NET_RAW', 'SYS_ADMIN', 'SYS_CHROOT'];
const RANGES = [
  { min: 1, max: 999 },
  { min: 1000, max: 1000 },
  { min: 0, max: 0 },
  { min: 1001, max: 5000 },
  { min: 1, max: 2147483647 },
];
const VOLUMES = [
  ...[
    'configMap',
    'csi',
    'downwardAPI',
    'emptyDir',
    'ephemeral',
    'flexVolume',
    'hostPath',
    'nfs',
    'projected',
    'secret',
  ],
  ...['persistentVolumeClaim', 'azureFile', 'iscsi', 'cephFS', 'storageos', 'gitRepo', 'fc', 'vsphereVolume', 'rbd'],
];
const SYSCTLS = ['net.ipv4.*', 'net.ipv4.tcp_syncookies', 'kernel.shm*', 'net.ipv4.tcp_rmem', 'kernel.msgmax', 'net.*'];
const PROFILES = ['runtime/default', 'localhost/profile', 'localhost/team/a', 'unconfined'];

const capabilities = fc
  .record({
    allowed: fc.option(
      fc.oneof({ weight: 3, arbitrary: some('ALL', ...CAPABILITIES) }, { weight: 1, arbitrary: one(['*']) }),
    ),
    required: fc.option(fc.oneof(one(['ALL']), some('ALL', ...CAPABILITIES))),
    added: fc.option(some(...CAPABILITIES)),
  })
  .map(({ allowed, required, added }) => {
    // As the API requires: a granted value is not denied as well.
    const granted = [...(allowed ?? []), ...(added ?? [])];
    const drop = granted.includes('*') ? [] : required?.filter((name) => !granted.includes(name));
    return {
      ...(allowed && { allowedCapabilities: allowed }),
      ...(drop && drop.length > 0 && { requiredDropCapabilities: drop }),
      ...(added && { defaultAddCapabilities: added }),
    };
  });

const escalation = one(
  {},
  { allowPrivilegeEscalation: true },
  { allowPrivilegeEscalation: false },
  { allowPrivilegeEscalation: false, defaultAllowPrivilegeEscalation: false },
  { defaultAllowPrivilegeEscalation: false },
  { defaultAllowPrivilegeEscalation: true },
);

function strategy<Rule extends string>(ranged: readonly Rule[], free: readonly Rule[]) {
  const ranges = fc.shuffledSubarray(RANGES, { minLength: 1, maxLength: 2 });
  return fc.oneof(
    { weight: 1, arbitrary: fc.record({ rule: one(...free) }) },
    { weight: 3, arbitrary: fc.record({ rule: one(...ranged), ranges }) },
  );
}

const group = strategy<'MustRunAs' | 'MayRunAs' | 'RunAsAny'>(['MustRunAs', 'MayRunAs'], ['RunAsAny']);
const user = fc.oneof(
  {
    weight: 20,
    arbitrary: strategy<'MustRunAs' | 'MustRunAsNonRoot' | 'RunAsAny'>(['MustRunAs'], ['RunAsAny', 'MustRunAsNonRoot']),
  },
  { weight: 1, arbitrary: one({ rule: 'MustRunAs' as const }) },
);

const seLinuxOptions = fc.record(
  {
    user: one('system_u'),
    role: one('system_r'),
    type: one('container_t', 'spc_t'),
    level: one('s0', 's0:c1,c2', 's0:c3'),
  },
  { requiredKeys: [] },
);
const seLinux = fc.oneof(
  { weight: 10, arbitrary: fc.record({ rule: one('MustRunAs' as const), seLinuxOptions }) },
  { weight: 4, arbitrary: one({ rule: 'RunAsAny' as const }) },
  { weight: 1, arbitrary: one({ rule: 'MustRunAs' as const }) },
);

const hostPaths = fc.uniqueArray(
  fc.record(
    { pathPrefix: one('/', '/var/log', '/var/log/', '/var/log/pods', '/var', '/etc'), readOnly: fc.boolean() },
    { requiredKeys: ['pathPrefix'] },
  ),
  { maxLength: 3, selector: ({ pathPrefix }) => pathPrefix },
);

const sysctls = fc.record({ allowed: fc.option(unsafe()), forbidden: fc.option(some(...SYSCTLS)) }).map(
  // As the API requires, the lists do not overlap.
  ({ allowed, forbidden }) => ({
    ...(allowed && { allowedUnsafeSysctls: allowed }),
    ...(forbidden && { forbiddenSysctls: forbidden.filter((name) => !allowed?.some((own) => overlap(own, name))) }),
  }),
);

function unsafe() {
  return fc.oneof({ weight: 4, arbitrary: some(...SYSCTLS) }, { weight: 1, arbitrary: one(['*']) });
}

function overlap(a: string, b: string): boolean {
  const [first, second] = [a, b].map((pattern) => pattern.replace(/\*$/, '')) as [string, string];
  return (a.endsWith('*') && second.startsWith(first)) || (b.endsWith('*') && first.startsWith(second)) || a === b;
}

const runtimeClass = fc
  .record({ allowed: fc.oneof(some('gvisor', 'kata'), one(['*'])), named: fc.option(one('gvisor', 'kata')) })
  .map(({ allowed, named }) => ({
    allowedRuntimeClassNames: allowed,
    ...(named && (allowed.includes('*') || allowed.includes(named)) && { defaultRuntimeClassName: named }),
  }));

const hostPorts = fc.subarray(
  [
    { min: 80, max: 80 },
    { min: 8000, max: 8080 },
    { min: 9090, max: 65535 },
    { min: 0, max: 65535 },
  ],
  { maxLength: 2 },
);

/** Each yields one field, or fields that go together. */
const FIELDS: readonly Arbitrary<Partial<PspSpec>>[] = [
  capabilities,
  escalation,
  field('privileged', fc.boolean()),
  field('hostNetwork', fc.boolean()),
  field('hostPID', fc.boolean()),
  field('hostIPC', fc.boolean()),
  field('hostPorts', hostPorts),
  field('volumes', fc.oneof({ weight: 5, arbitrary: some(...VOLUMES) }, { weight: 1, arbitrary: one(['*']) })),
  field('seLinux', seLinux),
  field('runAsUser', user),
  field('runAsGroup', group),
  field('supplementalGroups', group),
  field('fsGroup', group),
  field('readOnlyRootFilesystem', fc.boolean()),
  field('allowedHostPaths', hostPaths),
  field('allowedFlexVolumes', some({ driver: 'example/driver' }, { driver: 'example/lvm' })),
  field('allowedCSIDrivers', some({ name: 'csi.example.com' }, { name: 'ebs.csi.example.com' })),
  sysctls,
  field('allowedProcMountTypes', some('Default', 'Unmasked')),
  field('runtimeClass', runtimeClass),
];

const seccomp = profileLists(SECCOMP_ALLOWED, SECCOMP_DEFAULT, [...PROFILES, 'docker/default', '*']);
const appArmor = profileLists(APP_ARMOR_ALLOWED, APP_ARMOR_DEFAULT, PROFILES);

function profileLists(allowed: string, fallback: string, profiles: readonly string[]) {
  const named = profiles.filter((name) => name !== '*');
  return fc
    .record({ list: fc.option(fc.subarray([...profiles], { minLength: 1 })), filled: fc.option(one(...named)) })
    .map(({ list, filled }) => ({ ...(list && { [allowed]: list.join(',') }), ...(filled && { [fallback]: filled }) }));
}

function field<Name extends keyof PspSpec>(name: Name, value: Arbitrary<PspSpec[Name]>): Arbitrary<Partial<PspSpec>> {
  return value.map((content) => ({ [name]: content }));
}

/** @param maxFields the policy sets at most that many fields */
function content(maxFields: number): Arbitrary<Content> {
  const chosen = fc.subarray([...FIELDS], { maxLength: maxFields }).chain((fields) => fc.tuple(...fields));
  const profiles = fc.subarray([seccomp, appArmor] as Arbitrary<Record<string, string>>[]);
  return fc.record({
    spec: chosen.map((fields) => Object.assign({}, ...fields)),
    annotations: profiles.chain((all) => fc.tuple(...all)).map((all) => Object.assign({}, ...all)),
  });
}

/** Begins with everything allowed, or with only what is required. */
function policy(name: string, maxFields: number): Arbitrary<PodSecurityPolicy> {
  return fc.record({ isOpen: fc.boolean(), content: content(maxFields) }).map(({ isOpen, content }) => {
    const { allowedCapabilities, ...open } = OPEN_SPEC;
    const saysCapabilities = Object.keys(content.spec).some((key) => key.endsWith('Capabilities'));
    const base = isOpen ? { ...open, ...(!saysCapabilities && { allowedCapabilities }) } : STRATEGIES;
    const spec = withoutOverlap({ ...base, ...content.spec });
    return psp(name, spec, { ...(isOpen && OPEN_ANNOTATIONS), ...content.annotations });
  });
}

/** The API accepts `*` at the start only without other entries. */
function withoutOverlap({ allowedUnsafeSysctls, ...spec }: PspSpec): PspSpec {
  const overlapping = spec.forbiddenSysctls?.length && allowedUnsafeSysctls?.includes('*');
  return { ...spec, ...(allowedUnsafeSysctls && !overlapping && { allowedUnsafeSysctls }) };
}

export function randomPolicy(name: string): Arbitrary<PodSecurityPolicy> {
  const usual = fc.oneof(policy(name, 4), policy(name, FIELDS.length));
  return fc.oneof({ weight: 5, arbitrary: usual }, { weight: 1, arbitrary: odd(mildPolicy(name)) });
}

/** Sets few fields, so that the users of the policy often decide whether a pod is admitted. */
export function mildPolicy(name: string): Arbitrary<PodSecurityPolicy> {
  return policy(name, 3);
}
