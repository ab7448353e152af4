/** Random policies and pods. Each field has few values, so policies and pods often match. */
import fc, { type Arbitrary } from 'fast-check';
import type {
  CapabilityPolicyOverrides,
  ContainerOverrides,
  NamedContainers,
} from '../../operator/api/capability-policy.ts';
import { completeSpec } from '../../operator/api/defaults.ts';
import type { Container, PodContent } from '../../operator/model/objects.ts';
import { type ResolvedPolicy, resolvePolicy } from '../../operator/policy/resolve.ts';
import { formatVersion, LEVELS, type Level, NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { OCI_PROFILE, REFERENCES } from './random-fields.ts';
import { EXAMPLE_PODS, SWITCHED_PODS, SWITCHES } from './random-switches.ts';

const NAMES = ['CHOWN', 'NET_RAW', 'NET_BIND_SERVICE', 'SYS_ADMIN'];
const PROFILES = ['a', 'team/a', 'team/b'];
const VOLUMES = ['one', 'two'];
const SYSCTLS = ['net.ipv4.tcp_syncookies', 'net.ipv4.ip_forward', 'net/ipv4/ip_forward', 'kernel.msgmax'];
const APP_ARMOR = 'container.apparmor.security.beta.kubernetes.io/';
const IDS = [0, 1, 1000, 1001, 2000];
const RANGES = [
  { min: 0, max: 0 },
  { min: 1, max: 1000 },
  { min: 1000, max: 1000 },
  { min: 1001, max: 5000 },
];
const GROUPS = 'RunAsAny MustRunAs MayRunAs'.split(' ') as ('RunAsAny' | 'MustRunAs' | 'MayRunAs')[];

const some = <T>(values: readonly T[]) => fc.subarray([...values]);
const one = <T>(...values: T[]) => fc.constantFrom(...values);
const ranges = fc.subarray(RANGES, { minLength: 1, maxLength: 2 });
const partial = <T extends object>(fields: { [K in keyof T]: Arbitrary<T[K]> }) =>
  fc.record(fields, { requiredKeys: [] });

/**
 * A random strategy. The API requires ranges if the rule is MustRunAs or MayRunAs. With any other rule, the strategy
 * has no ranges.
 */
function strategy<Rule extends string>(...rules: Rule[]) {
  return fc
    .record({ rule: one(...rules), ranges })
    .map(({ rule, ranges }) => (/^MustRunAs$|^MayRunAs$/.test(rule) ? { rule, ranges } : { rule }));
}

const seLinuxOptions = partial({
  user: one('', 'system_u'),
  role: one('', 'system_r'),
  type: one('', 'container_t', 'spc_t'),
  level: one('s0', 's0:c1', 's0:c1,c2', 's0:c2,c1', 's0:c1,c1'),
});

const capabilities = partial({
  allowedAdd: fc.oneof(some(NAMES), fc.constant(['*'])),
  allowedAddInUserNamespace: fc.oneof(some(NAMES), fc.constant(['*'])),
  requiredDrop: some(['ALL', ...NAMES]),
  defaultAdd: some(NAMES),
  dropByName: fc.boolean(),
  allowedBounding: some(NAMES),
}).filter(({ requiredDrop = [], defaultAdd = [] }) => !requiredDrop.some((name) => defaultAdd.includes(name)));

const hostPaths = fc.uniqueArray(
  fc.record(
    { pathPrefix: one('/', '/foo', '/foo/', '/foo/bar', '/etc'), readOnly: fc.boolean() },
    { requiredKeys: ['pathPrefix'] },
  ),
  { maxLength: 2, selector: ({ pathPrefix }) => pathPrefix },
);

const sysctls = partial({
  allowed: some(['*', 'net.ipv4.*', 'kernel.msgmax', 'net/ipv4/*']),
  forbidden: some(['net.ipv4.ip_forward', 'net/ipv4/tcp_*', 'kernel.*']),
});

const runtimeClasses = partial({ allowed: some(['gvisor', 'kata']), default: one('gvisor', 'kata') });

const profiles = {
  types: some(['RuntimeDefault', 'Localhost', 'Unconfined'] as const),
  unset: one('Allowed' as const, 'Refused' as const),
  localhostProfiles: some(['a', 'team/*']),
  default: fc.oneof(
    fc.record({ type: one('RuntimeDefault' as const, 'Unconfined') }),
    fc.record({ type: fc.constant('Localhost' as const), localhostProfile: one(...PROFILES) }),
  ),
};

export const arbitraryOverrides: Arbitrary<CapabilityPolicyOverrides> = partial({
  ...SWITCHES,
  capabilities,
  hostPaths,
  flexVolumeDrivers: some(['example/lvm', 'example/nfs']),
  csiDrivers: some(['example.com', 'csi.example.com']),
  runAsUser: strategy('RunAsAny', 'NotZero', 'MustRunAs', 'MustRunAsNonRoot'),
  runAsGroup: strategy(...GROUPS),
  supplementalGroups: fc.oneof(
    strategy(...GROUPS),
    fc.constant({ policy: 'Strict' as const }),
    strategy(...GROUPS).map((ids) => ({ ...ids, policy: 'Strict' as const })),
  ),
  fsGroup: strategy(...GROUPS),
  seccomp: fc
    .record({
      some: partial({ ...profiles, unset: one('Allowed' as const, 'Refused', 'RefusedOnPod') }),
      oci: fc.option(some([...REFERENCES, '*']), { freq: 2 }),
    })
    .map(({ some, oci }) => ({
      ...some,
      ...(oci && { types: [...(some.types ?? []), 'OCI' as const], ociReferences: oci }),
    })),
  appArmor: partial(profiles),
  seLinux: fc
    .record({ rule: one('PodSecurityStandard' as const, 'RunAsAny', 'MustRunAs'), options: seLinuxOptions })
    .map(({ rule, options }) => (rule === 'MustRunAs' ? { rule, options } : { rule })),
  sysctls,
  runtimeClasses,
}) as Arbitrary<CapabilityPolicyOverrides>;

/** Random `spec.containers` with up to two entries, for the given names. */
export function arbitraryContainers(...names: readonly [string[], string[]]): Arbitrary<NamedContainers[]> {
  const entry = fc.record({
    overrides: arbitraryOverrides.map(withoutPodFields),
    images: one(undefined, undefined, ['a'], ['b/c:*', 'a']),
  });
  return fc
    .array(entry, { maxLength: names.length })
    .map((entries) =>
      entries.map(({ overrides, images }, i) => ({ names: names[i] ?? [], ...(images && { images }), overrides })),
    );
}

function withoutPodFields({ seccomp, ...overrides }: CapabilityPolicyOverrides): ContainerOverrides {
  const { unset, ...rest } = seccomp ?? {};
  return {
    ...overrides,
    ...(seccomp && { seccomp: { ...rest, ...(unset && unset !== 'RefusedOnPod' && { unset }) } }),
  };
}

export const arbitraryPolicy: Arbitrary<ResolvedPolicy> = fc
  .record({
    level: one(...LEVELS),
    minor: fc.nat(NEWEST_KNOWN_MINOR),
    overrides: arbitraryOverrides,
    containers: arbitraryContainers(['app0', 'init0', 'debug0'], ['app1', 'init1', 'debug1']),
  })
  .map(({ level, minor, overrides, containers }) => policyOf(level, formatVersion(minor), overrides, containers));

export function policyOf(
  level: Level,
  levelVersion: string,
  overrides: CapabilityPolicyOverrides,
  containers?: NamedContainers[],
): ResolvedPolicy {
  const spec = completeSpec({
    namespaceSelector: {},
    level,
    levelVersion,
    overrides,
    ...(containers && { containers }),
  });
  const policy = { apiVersion: 'capabilitypolicy.dev/v1alpha1', kind: 'CapabilityPolicy', spec } as const;
  const resolution = resolvePolicy({ ...policy, metadata: { name: 'random' } }, NEWEST_KNOWN_MINOR);
  if (!('policy' in resolution)) throw new Error(resolution.refusal.message);
  return resolution.policy;
}

const profile = fc.oneof(
  fc.record({ type: one('RuntimeDefault', 'Unconfined') }),
  fc.record({ type: fc.constant('Localhost'), localhostProfile: one(...PROFILES) }),
);

const asked = some(['ALL', 'CAP_SYS_ADMIN', 'net_raw', ...NAMES]);

const shared = {
  runAsNonRoot: fc.boolean(),
  runAsUser: one(...IDS),
  runAsGroup: one(...IDS),
  seccompProfile: fc.oneof({ weight: 2, arbitrary: profile }, { weight: 1, arbitrary: OCI_PROFILE }),
  appArmorProfile: profile,
  seLinuxOptions,
};

/** Random values of fields with few values, such as `hostPID: true`. The fields come from the example pods of rules. */
const SWITCHED_SPEC = Object.fromEntries(
  SWITCHED_PODS.flatMap(({ spec = {} }) => Object.entries(spec))
    .filter(([, value]) => typeof value !== 'object')
    .map(([field, value]) => [field, fc.constant(value)]),
);
const EXAMPLE_SOURCES = EXAMPLE_PODS.flatMap(({ spec }) => (spec?.volumes ?? []) as readonly object[]).map(
  (volume) => ({ ...volume, name: undefined }),
);
const path = one('/foo', '/foo/', '/foo/bar', '/foobar', '//foo', '/');
const source = fc.oneof(
  path.map((path) => ({ hostPath: { path } })),
  one('example/lvm', 'example/cifs').map((driver) => ({ flexVolume: { driver } })),
  one('example.com', 'example.org').map((driver) => ({ csi: { driver } })),
  fc.constant({ emptyDir: {} }),
  fc.constantFrom(...EXAMPLE_SOURCES),
);
const volumes = fc
  .tuple(source, source)
  .map(([first, second]) => VOLUMES.map((name, i) => ({ ...(i === 0 ? first : second), name })));
const volumeMounts = fc.uniqueArray(
  fc.record({ name: one(...VOLUMES), mountPath: one('/mnt', '/srv'), readOnly: fc.boolean() }),
  { maxLength: 2, selector: ({ mountPath }) => mountPath },
);

function containers(prefix: string, minLength: number) {
  const fields = partial({
    image: one('a', 'b/c:1', 'b/c/d:1'),
    volumeMounts,
    securityContext: partial({
      ...shared,
      capabilities: partial({ add: asked, drop: asked }),
      privileged: fc.boolean(),
      allowPrivilegeEscalation: fc.boolean(),
      readOnlyRootFilesystem: fc.boolean(),
    }),
  });
  return fc
    .array(fields, { minLength, maxLength: 2 })
    .map((list) => list.map((each, i): Container => ({ name: `${prefix}${i}`, ...each })));
}

const specFields = {
  ...SWITCHED_SPEC,
  os: one({ name: 'linux' }, { name: 'windows' }),
  hostUsers: fc.boolean(),
  runtimeClassName: one('gvisor', 'kata', 'runc'),
  securityContext: partial({
    ...shared,
    fsGroup: one(...IDS),
    supplementalGroups: some(IDS),
    supplementalGroupsPolicy: one('Merge', 'Strict'),
    sysctls: some(SYSCTLS).map((names) => names.map((name) => ({ name, value: '1' }))),
  }),
};

export const arbitraryPod: Arbitrary<PodContent> = fc
  .record({
    fields: partial(specFields),
    volumes,
    initContainers: containers('init', 0),
    containers: containers('app', 1),
    annotations: partial({ [`${APP_ARMOR}app0`]: one('runtime/default', 'localhost/a', 'localhost/b', 'unconfined') }),
  })
  .map(({ fields, annotations, ...lists }) => ({ annotations, spec: { ...fields, ...lists } }));

export const arbitraryPodWithAddedContainers: Arbitrary<PodContent> = fc
  .record({ pod: arbitraryPod, ephemeralContainers: containers('debug', 1) })
  .map(({ pod, ephemeralContainers }) => ({ ...pod, spec: { ...pod.spec, ephemeralContainers } }));
