/**
 * Field values on either side of a policy's limits. At least one rule of the policy treats values on one side
 * differently from values on the other side.
 */
import type { ResolvedPolicy } from '../../../operator/policy/resolve.ts';
import { CAPABILITIES } from '../../../operator/standards/capabilities.ts';
import { ACCEPTS_OCI, namedBy, type Step, type Steps } from '../../support/random-fields.ts';
import { SWITCHED_PODS, settingsIn } from '../../support/random-switches.ts';
import type { Profiles, Range, Strategy, Values } from '../reference/values.ts';

/**
 * Changes that bring a pod close to a limit of a policy or of an entry of `spec.containers`, on either side of the
 * limit. A change sets a field, or sets an image that matches or nearly matches a pattern.
 */
export function boundaryOf({ values, containers }: ResolvedPolicy): readonly Steps[] {
  const all = [values, ...containers.map((entry) => ({ ...values, ...entry.values }))] as unknown as Values[];
  const patterns = containers.flatMap(({ images = [] }) => images);
  const images = patterns.flatMap((pattern) => [pattern.replace('*', ''), pattern.replace('*', 'x:1'), `x${pattern}`]);
  return [
    ...all.flatMap(boundary),
    ...[...new Set(images)].flatMap((image) => CONTAINERS.map((to) => [step(to, 'image', image)])),
  ];
}

export function boundary(values: Values): readonly Steps[] {
  return [
    ...capabilities(values),
    ...ids(values),
    ...profiles('seccompProfile', values.seccomp),
    ...profiles('appArmorProfile', values.appArmor),
    ...appArmorAnnotations(values),
    ...seLinux(values),
    ...sysctls(values),
    ...hostPorts(values),
    ...hostPaths(values),
    ...drivers(values),
    ...runtimeClasses(values),
    ...SWITCHES,
  ];
}

const CONTAINERS = ['app', 'second', 'init', 'sidecar'] as const;

function step(to: Step['to'], path: string, value: unknown): Step {
  return { to, path: path.split('.'), value };
}

/**
 * Returns two changes. One change sets the value on the main container. The other change sets the value on a container
 * of another kind.
 */
function onContainers(path: string, value: unknown, ...others: Step[]): Steps[] {
  return (['app', 'init'] as const).map((to) => [step(to, path, value), ...others]);
}

function capabilities(values: Values): Steps[] {
  const { allowedAdd, allowedAddInUserNamespace: mapped = [], requiredDrop, defaultAdd } = values.capabilities;
  const { allowed: bounding } = values['capabilities.allowedBounding'];
  const known = [...allowedAdd, ...defaultAdd, ...bounding, ...mapped.slice(0, 8)].filter((name) => name !== '*');
  const unknown = CAPABILITIES.find((name) => !known.includes(name)) ?? 'nonsense';
  const adds = [
    ...known.slice(0, 8).map((name) => [name]),
    known.slice(0, 3),
    [unknown],
    [`CAP_${known[0] ?? 'KILL'}`],
    ['ſYS_ADMIN'],
    ['SYS_ADMıN'],
    Array.from({ length: 256 }, () => known[0] ?? 'KILL'),
    Array.from({ length: 257 }, () => known[0] ?? 'KILL'),
  ];
  const mappedAdds = [
    ...mapped.slice(0, 4).map((name) => [name]),
    mapped.slice(0, 3),
    [unknown],
    [...known.slice(0, 1), ...mapped.slice(0, 1)],
  ];
  const ownUsers = step('pod', 'hostUsers', false);
  const privileged = [
    step('app', 'securityContext.privileged', true),
    step('app', 'securityContext.allowPrivilegeEscalation', undefined),
  ];
  const fewer = requiredDrop.map((_, index) => requiredDrop.toSpliced(index, 1));
  const drops = [requiredDrop, ...fewer, ['ALL'], [...known.slice(0, 2), 'ALL'], ['all'], CAPABILITIES.slice(0, 20)];
  return [
    ...adds.flatMap((add) => onContainers('securityContext.capabilities.add', add)),
    ...drops.flatMap((drop) => onContainers('securityContext.capabilities.drop', drop)),
    ...onContainers('securityContext.capabilities', undefined),
    ...(mapped.length > 0
      ? [
          ...mappedAdds.flatMap((add) => onContainers('securityContext.capabilities.add', add, ownUsers)),
          ...onContainers('securityContext.capabilities', undefined, ownUsers),
          [...privileged, ownUsers],
        ]
      : []),
  ];
}

function ends(ranges: readonly Range[] = []): number[] {
  const all = ranges.flatMap(({ min, max }) => [min - 1, min, max, max + 1]);
  return [...new Set(all)].filter((id) => id >= 0 && id <= 2147483647);
}

function ids({ runAsUser, runAsGroup, supplementalGroups, fsGroup, ...others }: Values): Steps[] {
  const onBoth = (field: string, { ranges = [] }: Strategy<string>) =>
    [undefined, 0, ...ends(ranges)].flatMap((id) => [
      [step('pod', `securityContext.${field}`, id)],
      [step('app', `securityContext.${field}`, id)],
      CONTAINERS.slice(0, 3).map((to) => step(to, `securityContext.${field}`, id)),
    ]);
  const groups = ends(supplementalGroups.ranges);
  return [
    ...onBoth('runAsUser', runAsUser),
    ...onBoth('runAsGroup', runAsGroup),
    ...[undefined, 0, ...ends(fsGroup.ranges)].map((id) => [step('pod', 'securityContext.fsGroup', id)]),
    ...[undefined, [], groups.slice(1, 3), ...groups.map((id) => [id])].map((list) => [
      step('pod', 'securityContext.supplementalGroups', list),
    ]),
    ...(others['supplementalGroups.policy'] ? [undefined, 'Merge', 'Strict'] : []).map((policy) => [
      step('pod', 'securityContext.supplementalGroupsPolicy', policy),
    ]),
  ];
}

/**
 * Strings that resemble the given string. A person or another comparison algorithm can confuse these strings with the
 * given string.
 */
function lookalikes(text: string): string[] {
  const all = [text.normalize('NFD'), text.toUpperCase(), text.replace('a', 'а'), `${text}\u200b`, `💥${text}`];
  return [...new Set(all)].filter((one) => one !== text);
}

function localhost(profiles: readonly string[] = ['profile']): string[] {
  return profiles.flatMap((pattern) => {
    const name = pattern.replace('*', '');
    const others = [`${name}x`, name.slice(0, -1), ...lookalikes(name)];
    return [name, ...others].filter((one) => one !== '' && !one.endsWith('/') && one.isWellFormed());
  });
}

function profiles(field: string, { types, localhostProfiles, ociReferences }: Profiles): Steps[] {
  const named = localhost(localhostProfiles).map((localhostProfile) => ({ type: 'Localhost', localhostProfile }));
  const values = [
    undefined,
    { type: 'RuntimeDefault' },
    { type: 'Unconfined' },
    ...named,
    ...(types.includes('OCI') && ACCEPTS_OCI ? fromOci(ociReferences, named[0]) : []),
  ];
  return values.flatMap((value) => [
    [step('pod', `securityContext.${field}`, value)],
    [step('app', `securityContext.${field}`, value)],
    [step('init', `securityContext.${field}`, value)],
    [step('pod', `securityContext.${field}`, undefined), step('app', `securityContext.${field}`, value)],
  ]);
}

/** Profiles of type OCI with references that match or nearly match the list, with and without the base profile. */
function fromOci(entries: readonly string[] = ['*'], baseProfile: object | undefined): object[] {
  const references = entries.map(namedBy).flatMap((ref) => {
    const [repository = '', digest = ''] = ref.split('@');
    return [
      ref,
      `${repository}/a@${digest}`,
      `${repository}a@${digest}`,
      `${ref.slice(0, -1)}0`,
      ref.replace('.', '-'),
    ];
  });
  return references.flatMap((ref) => [
    { type: 'OCI', oci: { ref } },
    { type: 'OCI', oci: { ref, baseProfile } },
  ]);
}

function appArmorAnnotations({ appArmor }: Values): Steps[] {
  const values = [
    'runtime/default',
    'unconfined',
    '',
    'localhost/',
    ...lookalikes('runtime/default'),
    ...localhost(appArmor.localhostProfiles).map((name) => `localhost/${name}`),
  ];
  return values.flatMap((value) =>
    ['app', 'init'].map((name) => [
      {
        to: 'metadata' as const,
        path: ['annotations', `container.apparmor.security.beta.kubernetes.io/${name}`],
        value,
      },
      step('pod', 'securityContext.appArmorProfile', undefined),
      step(name as 'app', 'securityContext.appArmorProfile', undefined),
    ]),
  );
}

function seLinux({ seLinux: { options = {} } }: Values): Steps[] {
  const { level = '', ...rest } = options;
  const [sensitivity, categories = ''] = level.split(':');
  const reordered = categories.split(',').reverse().join(',');
  const variants = [
    undefined,
    {},
    options,
    { ...rest, level: categories === '' ? level : `${sensitivity}:${reordered}` },
    { ...rest, level: `${level || 's0'}:c7` },
    { ...options, type: 'container_engine_t' },
    ...lookalikes(options.type ?? 'container_t').map((type) => ({ ...options, type })),
    { ...options, type: '' },
    { ...options, user: options.user ? '' : 'system_u' },
    { ...options, role: options.role ? '' : 'system_r' },
  ];
  return variants.flatMap((value) => [
    [step('pod', 'securityContext.seLinuxOptions', value)],
    [step('app', 'securityContext.seLinuxOptions', value)],
    [step('pod', 'securityContext.seLinuxOptions', undefined), step('init', 'securityContext.seLinuxOptions', value)],
  ]);
}

function sysctls({ sysctls: { allowed, forbidden } }: Values): Steps[] {
  // Names of sysctls. The list contains at least one name that matches no forbidden pattern.
  const exact = [...allowed, ...forbidden].flatMap((pattern) =>
    pattern.endsWith('*') ? ['tcp_x', 'zz_x'].map((rest) => `${pattern.slice(0, -1)}${rest}`) : [pattern],
  );
  const names = exact.flatMap((name) => [name, name.replaceAll('.', '/'), name.replaceAll('/', '.'), `${name}_x`]);
  return [...new Set(names)].map((name) => [step('pod', 'securityContext.sysctls', [{ name, value: '1' }])]);
}

function hostPorts({ hostPorts: ranges }: Values): Steps[] {
  const ports = [...new Set([0, 80, 9090, ...ends(ranges)])].filter((port) => port <= 65535);
  return ports.flatMap((hostPort) => [
    ...onContainers('ports', [{ containerPort: hostPort || 80, hostPort }]),
    [step('pod', 'hostNetwork', true), step('app', 'ports', [{ containerPort: hostPort || 80 }])],
  ]);
}

function hostPaths({ hostPaths: prefixes = [] }: Values): Steps[] {
  const paths = [
    '/',
    '/etc',
    ...prefixes.flatMap(({ pathPrefix }) => [
      pathPrefix,
      `${pathPrefix}x`,
      `${pathPrefix}/x`,
      `/${pathPrefix}`,
      ...lookalikes(pathPrefix),
    ]),
  ];
  const mount = (to: Step['to'], readOnly: boolean | undefined) =>
    step(to, 'volumeMounts', [{ name: 'node', mountPath: '/node', ...(readOnly !== undefined && { readOnly }) }]);
  return [...new Set(paths)].flatMap((path) => {
    const volume = step('pod', 'volumes', [{ name: 'node', hostPath: { path } }]);
    return [
      [volume],
      [volume, mount('app', true)],
      [volume, mount('app', undefined)],
      [volume, mount('init', true), mount('app', false)],
    ];
  });
}

function drivers({ flexVolumeDrivers = [], csiDrivers = [] }: Values): Steps[] {
  const volume = (source: object) => [step('pod', 'volumes', [{ name: 'only', ...source }])];
  return [
    volume({ nfs: { server: 'nfs.example.com', path: '/' } }),
    ...[...flexVolumeDrivers, 'example/driver', 'example/other', ...lookalikes('example/driver')].map((driver) =>
      volume({ flexVolume: { driver } }),
    ),
    ...[...csiDrivers, 'csi.example.com', 'other.example.com'].map((driver) => volume({ csi: { driver } })),
  ];
}

function runtimeClasses({ runtimeClasses: { allowed = [] } }: Values): Steps[] {
  return [...allowed, 'gvisor', 'runc', undefined].map((name) => [step('pod', 'runtimeClassName', name)]);
}

const HOST_PROCESS = { hostProcess: true, runAsUserName: 'NT AUTHORITY\\SYSTEM' };

const SECCOMP_ANNOTATION = 'seccomp.security.alpha.kubernetes.io/pod';

/**
 * Changes for rules that distinguish only two values. A change also sets the other fields that the API server requires
 * together with the value.
 */
const SWITCHES: readonly Steps[] = [
  ...SWITCHED_PODS.map(({ spec = {}, container = {} }) => [
    ...settingsIn(spec).map((setting): Step => ({ to: 'pod', ...setting })),
    ...settingsIn(container).map((setting): Step => ({ to: 'app', ...setting })),
  ]).filter((steps) => steps.length > 0),
  ...(['app', 'init'] as const).map((to) => [
    step(to, 'securityContext.privileged', true),
    step(to, 'securityContext.allowPrivilegeEscalation', undefined),
  ]),
  ...onContainers('securityContext.allowPrivilegeEscalation', undefined),
  ...onContainers('securityContext.allowPrivilegeEscalation', false),
  ...onContainers('securityContext.readOnlyRootFilesystem', undefined),
  ...onContainers('securityContext.readOnlyRootFilesystem', true),
  ...[true, false, undefined].flatMap((value) => [
    [step('pod', 'securityContext.runAsNonRoot', value)],
    ...onContainers('securityContext.runAsNonRoot', value),
    [step('pod', 'securityContext.runAsNonRoot', undefined), step('app', 'securityContext.runAsNonRoot', value)],
  ]),
  ...onContainers('securityContext.procMount', 'Unmasked', step('pod', 'hostUsers', false)),
  ...onContainers('securityContext.runAsUser', 0, step('pod', 'hostUsers', false)),
  [step('app', 'securityContext.runAsUser', 1000), step('pod', 'securityContext.runAsUser', 0)],
  ...['unconfined', 'docker/default'].flatMap((value): Steps[] => {
    const annotation = { to: 'metadata' as const, path: ['annotations', SECCOMP_ANNOTATION], value };
    // The API server refuses an annotation if the field has another value.
    const type = value === 'unconfined' ? 'Unconfined' : 'RuntimeDefault';
    return [undefined, { type }].map((profile) => [step('pod', 'securityContext.seccompProfile', profile), annotation]);
  }),
  ...onContainers('livenessProbe', { httpGet: { port: 80, host: 'example.com' } }),
  [step('pod', 'hostUsers', false)],
  ...onContainers('lifecycle', { preStop: { tcpSocket: { port: 80, host: '127.0.0.1' } } }),
  [step('pod', 'automountServiceAccountToken', undefined)],
  [
    step('pod', 'os', { name: 'windows' }),
    step('pod', 'securityContext', { windowsOptions: HOST_PROCESS }),
    step('pod', 'hostNetwork', true),
    step('app', 'securityContext', undefined),
  ],
  [
    step('pod', 'securityContext.windowsOptions', HOST_PROCESS),
    step('pod', 'hostNetwork', true),
    step('app', 'securityContext.windowsOptions', { hostProcess: true }),
  ],
];
