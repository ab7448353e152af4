/** Random policies over all fields that affect pods. Each field has few values, so pods often match. */
import fc, { type Arbitrary } from 'fast-check';
import { SERVER_MINOR } from '../../../hack/controlplane/version.ts';
import type {
  CapabilityPolicyOverrides,
  CapabilityPolicySpec,
  ContainerOverrides,
  NamedContainers,
} from '../../../operator/api/capability-policy.ts';
import { RULES } from '../../../operator/rules/index.ts';
import { CAPABILITIES, RUNTIME_DEFAULT } from '../../../operator/standards/capabilities.ts';
import { formatVersion, LEVELS } from '../../../operator/standards/level-version.ts';
import { offers } from '../../../operator/standards/server-features.ts';
import { isAcceptedBy } from '../../support/examples.ts';
import { ACCEPTS_OCI, REFERENCES } from '../../support/random-fields.ts';
import { SWITCHES } from '../../support/random-switches.ts';
import { VERSIONS } from '../cases.ts';

export type Rules = Omit<CapabilityPolicySpec, 'namespaceSelector'>;

const one = <T>(...values: T[]) => fc.constantFrom(...values);
const some = <T>(...values: T[]) => fc.subarray(values);
const partial = <T extends object>(fields: { [K in keyof T]: Arbitrary<T[K]> }) =>
  fc.record(fields, { requiredKeys: [] });

const NAMES = ['CHOWN', 'KILL', 'NET_BIND_SERVICE', 'NET_RAW', 'SYS_ADMIN', 'SYS_CHROOT'];
const RANGES = [
  { min: 1, max: 999 },
  { min: 1000, max: 1000 },
  { min: 0, max: 0 },
  { min: 1001, max: 5000 },
  { min: 0, max: 2147483647 },
];
const PORTS = [
  { min: 80, max: 80 },
  { min: 8000, max: 8080 },
  { min: 9090, max: 65535 },
  { min: 1, max: 65535 },
];

const capabilities = partial({
  allowedAdd: fc.oneof({ weight: 3, arbitrary: some('ALL', ...NAMES) }, { weight: 1, arbitrary: one(['*']) }),
  allowedAddInUserNamespace: fc.oneof(
    { weight: 3, arbitrary: some('ALL', 'NET_ADMIN', ...NAMES) },
    { weight: 1, arbitrary: one(['*'], [...CAPABILITIES]) },
  ),
  requiredDrop: fc.oneof(one(['ALL'], []), some('ALL', ...NAMES)),
  defaultAdd: some(...NAMES),
  dropByName: fc.boolean(),
  allowedBounding: fc.oneof(some(...NAMES), one(['*'], RUNTIME_DEFAULT, without(RUNTIME_DEFAULT, ['NET_RAW']))),
}).map(consistent);

interface Lists {
  readonly allowedAdd?: string[] | undefined;
  readonly allowedAddInUserNamespace?: string[];
  readonly requiredDrop?: string[];
  readonly defaultAdd?: string[] | undefined;
}

/**
 * Makes lists of capabilities consistent, because the API refuses inconsistent lists. No value may be both granted and
 * denied, and no value may be granted twice.
 */
function consistent<T extends Lists>(lists: T): T {
  const { allowedAdd = [], defaultAdd = [], requiredDrop } = lists;
  const mapped = allowedAdd.includes('*') ? [] : without(lists.allowedAddInUserNamespace ?? [], allowedAdd);
  const stated = lists.allowedAddInUserNamespace ? { ...lists, allowedAddInUserNamespace: mapped } : lists;
  if (requiredDrop === undefined) return stated;
  if (allowedAdd.includes('*')) return { ...stated, requiredDrop: [] };
  const granted = [...without([...allowedAdd, ...mapped], ['ALL']), ...defaultAdd];
  const required = mapped.includes('*') ? requiredDrop.filter((name) => name === 'ALL') : requiredDrop;
  return { ...stated, requiredDrop: without(required, granted) };
}

function without(names: readonly string[], others: readonly string[]): string[] {
  return names.filter((name) => !others.includes(name));
}

function strategy<Rule extends string>(ranged: readonly Rule[], free: readonly Rule[]) {
  const ranges = fc.subarray(RANGES, { minLength: 1, maxLength: 2 });
  return fc.oneof(
    { weight: 1, arbitrary: fc.record({ rule: one(...free) }) },
    { weight: 2, arbitrary: fc.record({ rule: one(...ranged), ranges }) },
  );
}

const group = strategy<'MustRunAs' | 'MayRunAs' | 'RunAsAny'>(['MustRunAs', 'MayRunAs'], ['RunAsAny']);

/**
 * Random values for supplementalGroupsPolicy. If an API server drops `supplementalGroupsPolicy` from pods, the operator
 * accepts no policy with the field.
 */
function supplementalGroups() {
  if (!offers(SERVER_MINOR, 'supplementalGroupsPolicy')) return group;
  const policy = one('Strict' as const);
  return fc.oneof(
    { weight: 2, arbitrary: group },
    { weight: 1, arbitrary: fc.record({ policy }) },
    { weight: 1, arbitrary: fc.tuple(group, policy).map(([ids, policy]) => ({ ...ids, policy })) },
  );
}

const profiles = fc
  .record(
    {
      types: some('RuntimeDefault' as const, 'Localhost', 'Unconfined'),
      unset: one('Allowed' as const, 'Refused'),
      localhostProfiles: some('profile', 'pro*', 'team/*', 'team/a', 'té/*', '𝔘'),
      filling: one<'RuntimeDefault' | 'Localhost' | 'Unconfined'>('RuntimeDefault', 'Localhost', 'Unconfined'),
    },
    { requiredKeys: [] },
  )
  .map(({ localhostProfiles, filling, ...rest }) => ({
    ...rest,
    ...(filling && (rest.types ?? ['RuntimeDefault', 'Localhost']).includes(filling) && { default: profile(filling) }),
    ...(rest.types?.length === 0 && { unset: 'Allowed' as const }),
    ...(localhostProfiles && rest.types?.includes('Localhost') !== false && { localhostProfiles }),
  }));

function profile(type: 'RuntimeDefault' | 'Localhost' | 'Unconfined') {
  return { type, ...(type === 'Localhost' && { localhostProfile: 'profile' }) };
}

const seLinuxOptions = partial({
  user: one('system_u'),
  role: one('system_r'),
  type: one('container_t', 'container_engine_t', 'spc_t', 'cöntainer_t'),
  level: one('s0', 's0:c1,c2', 's0:c3'),
});

const hostPaths = fc.uniqueArray(
  fc.record(
    {
      pathPrefix: one('/', '/var/log', '/var/log/', '/var/log/pods', '/var', '/etc', '/dätа'),
      readOnly: fc.boolean(),
    },
    { requiredKeys: ['pathPrefix'] },
  ),
  { maxLength: 3, selector: ({ pathPrefix }) => pathPrefix },
);

const VOLUMES = 'configMap csi downwardAPI emptyDir ephemeral flexVolume hostPath image nfs projected secret'.split(
  ' ',
);

const FIELDS = {
  ...SWITCHES,
  capabilities,
  hostPorts: fc.subarray(PORTS, { maxLength: 2 }),
  volumes: fc.oneof({ weight: 3, arbitrary: some(...VOLUMES) }, { weight: 1, arbitrary: one(['*']) }),
  hostPaths,
  flexVolumeDrivers: some('example/driver', 'example/lvm', 'example/drıver'),
  csiDrivers: some('csi.example.com', 'ebs.csi.example.com', 'csi.exámple.com'),
  runAsUser: strategy<'MustRunAs' | 'RunAsAny' | 'NotZero' | 'MustRunAsNonRoot'>(
    ['MustRunAs'],
    ['RunAsAny', 'NotZero', 'MustRunAsNonRoot'],
  ),
  runAsGroup: group,
  supplementalGroups: supplementalGroups(),
  fsGroup: group,
  seccomp: fc.record({ some: profiles, onPod: fc.boolean(), oci: referenceLists() }).map(({ some, onPod, oci }) => ({
    ...some,
    ...(oci && { types: [...(some.types ?? ['RuntimeDefault', 'Localhost']), 'OCI'], ociReferences: oci }),
    ...(onPod && some.types?.length !== 0 && { unset: 'RefusedOnPod' as const }),
  })),
  appArmor: profiles,
  seLinux: fc.oneof(
    fc.record({ rule: one('PodSecurityStandard' as const, 'RunAsAny') }),
    fc.record({ rule: one('MustRunAs' as const), options: seLinuxOptions }),
  ),
  procMount: fc.record({ types: one(['Default'], ['Default', 'Unmasked'], ['Unmasked', 'Default'], ['Unmasked']) }),
  sysctls: fc
    .record({ allowed: fc.option(allowedSysctls()), forbidden: fc.option(forbiddenSysctls()) })
    .map(({ allowed, forbidden }) => ({ ...(allowed && { allowed }), ...(forbidden && { forbidden }) })),
  runtimeClasses: fc
    .record({ allowed: fc.option(some('gvisor', 'kata')), named: fc.option(one('gvisor', 'kata')) })
    .map(({ allowed, named }) => ({
      ...(allowed && { allowed }),
      ...(named && allowed?.includes(named) !== false && { default: named }),
    })),
};

/**
 * Random lists of references, or no list. An API server accepts profiles of type OCI only if a feature gate is on. If
 * the feature gate is off, no pod can show that a label is too tight.
 */
function referenceLists() {
  const isOff = offers(SERVER_MINOR, 'seccompFromOci') && !ACCEPTS_OCI;
  return isOff ? fc.constant(null) : fc.option(some(...REFERENCES, '*'), { freq: 2 });
}

function allowedSysctls() {
  return some(
    '*',
    'net.ipv4.*',
    'net.ipv4.tcp_syncookies',
    'kernel.shm_rmid_forced',
    'net/ipv4/*',
    'net.ipv4.tcp_rmem',
  );
}

function forbiddenSysctls() {
  return some('net.ipv4.ip_forward', 'net/ipv4/tcp_*', 'kernel.*', 'net.ipv4.ping_group_range');
}

export type OverrideField = keyof typeof FIELDS;
export const OVERRIDE_FIELDS = (Object.keys(FIELDS) as OverrideField[]).filter(isAccepted);

function isAccepted(field: OverrideField): boolean {
  return RULES.filter(({ id }) => id === field).every((rule) => isAcceptedBy(SERVER_MINOR, rule));
}

/** Random overrides with exactly the given fields. */
export function overridesOf(fields: readonly OverrideField[]): Arbitrary<CapabilityPolicyOverrides> {
  const chosen = Object.fromEntries(fields.map((field) => [field, FIELDS[field] as Arbitrary<unknown>]));
  return fc.record(chosen) as Arbitrary<CapabilityPolicyOverrides>;
}

/**
 * Random rules. Besides its level, a policy has no overrides, a few overrides, or about half of all overrides. Half of
 * the policies also have overrides for some containers.
 */
export function randomRules(): Arbitrary<Rules> {
  const fields = fc.oneof(
    { weight: 2, arbitrary: fc.subarray(OVERRIDE_FIELDS, { maxLength: 4 }) },
    { weight: 3, arbitrary: fc.subarray(OVERRIDE_FIELDS) },
  );
  const overrides = fields.chain(overridesOf);
  const level = one(...LEVELS);
  const levelVersion = fc.oneof(one('latest'), one(...VERSIONS.map(formatVersion)));
  const containers = fc.oneof(fc.constant(undefined), someContainers());
  return fc.record({ level, levelVersion, overrides, containers, privileged: fc.boolean() }).map(stated);
}

/** The fields that an entry of `spec.containers` may override. */
const CONTAINER_FIELDS = OVERRIDE_FIELDS.filter((field) =>
  RULES.some(({ id, ofContainer }) => ofContainer && id.split('.')[0] === field),
);
/**
 * Names of containers in random pods, and a name that no container in a random pod has. In random pods, the image of a
 * container has the container's name, with or without a tag.
 */
const NAMED = ['app', 'second', 'init', 'sidecar', 'debug', 'debug-0-0', 'debug-1-0', 'other'];

/** Random `spec.containers` with one or two entries for different containers. */
function someContainers(most = 5): Arbitrary<NamedContainers[]> {
  const overrides = fc
    .subarray(CONTAINER_FIELDS, { minLength: 1, maxLength: most })
    .chain(overridesOf)
    .map(({ seccomp, ...rest }) => ({ ...rest, ...(seccomp && { seccomp: ofContainer(seccomp) }) }));
  const images = fc.oneof(
    { weight: 2, arbitrary: fc.constant(undefined) },
    {
      weight: 1,
      arbitrary: fc.subarray(['app', 'init', 'registry.example.com/team/*', 'registry.example.com/team/app:*']),
    },
  );
  return fc
    .record({ names: fc.shuffledSubarray(NAMED, { minLength: 2, maxLength: 4 }), both: fc.boolean() })
    .chain(({ names, both }) => {
      const lists = both ? [names.slice(0, 1), names.slice(1)] : [names];
      return fc.tuple(
        ...lists.map((list) =>
          fc.record({ overrides, images }).map(({ overrides, images }) => ({
            names: list,
            ...(images && images.length > 0 && { images }),
            overrides,
          })),
        ),
      );
    });
}

/**
 * Seccomp values for a container. RefusedOnPod is only for pods. If the list of types is empty, the API requires
 * `unset`.
 */
function ofContainer({ unset, ...seccomp }: NonNullable<CapabilityPolicyOverrides['seccomp']>) {
  if (seccomp.types?.length === 0) return { ...seccomp, unset: 'Allowed' as const };
  return { ...seccomp, ...(unset && { unset: unset === 'RefusedOnPod' ? ('Refused' as const) : unset }) };
}

/**
 * Adds the fields that the API requires at level privileged. A policy that restricts capabilities must also state
 * `privileged`. A policy with `allowedAddInUserNamespace` must also state `allowedAdd`.
 */
function stated<R extends Rules>({ privileged, containers, ...rules }: R & { readonly privileged: boolean }) {
  const { level, overrides } = rules;
  const completed = <Own extends ContainerOverrides>(own: Own | undefined) => {
    if (level !== 'privileged' || !own?.capabilities) return own;
    const { capabilities } = own;
    const lists = capabilities.allowedAddInUserNamespace ? { allowedAdd: [], ...capabilities } : capabilities;
    return { privileged, ...own, capabilities: lists };
  };
  return {
    ...rules,
    overrides: completed(overrides),
    ...(containers && {
      containers: containers.map((entry) => ({ ...entry, overrides: completed(entry.overrides) })),
    }),
  };
}

/** Rules for policies with defaulting. The rules are mild enough to admit many pods after filling. */
export function fillingRules(): Arbitrary<Rules> {
  const fields = fc.subarray(
    OVERRIDE_FIELDS.filter((field) => !field.startsWith('host')),
    { maxLength: 9 },
  );
  const level = one<Rules['level']>('restricted', 'restricted', 'baseline', 'privileged');
  const containers = fc.oneof(fc.constant(undefined), someContainers(3));
  return fc
    .record({ rules: randomRules(), level, overrides: fields.chain(overridesOf), containers, privileged: fc.boolean() })
    .map(({ rules, ...others }): Rules => ({ ...stated({ ...rules, ...others }), defaulting: 'Enabled' }));
}

/**
 * Rules with few overrides. With few overrides, the choice of the deciding policy often determines whether a pod is
 * admitted.
 */
export function mildRules(): Arbitrary<Rules> {
  const overrides = fc.subarray(OVERRIDE_FIELDS, { maxLength: 3 }).chain(overridesOf);
  const containers = fc.oneof(
    { weight: 2, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: someContainers(2) },
  );
  return fc
    .record({ rules: randomRules(), overrides, containers, privileged: fc.boolean() })
    .map(({ rules, ...others }) => stated({ ...rules, ...others }));
}
