/**
 * Test cases with valid and invalid values of the overrides from PodSecurityPolicy. The overrides from
 * PodSecurityPolicy do not come from the Standards.
 */
import type { BadInput } from './input.ts';

const bad = (title: string, overrides: object, answer: RegExp, spec = {}): BadInput => ({
  title,
  spec: { ...spec, overrides },
  answer,
});
const good = (title: string, overrides: object, spec = {}) => ({ title, spec: { ...spec, overrides } });

const ranges = (...list: (readonly [number, number])[]) => list.map(([min, max]) => ({ min, max }));
const IDS = { rule: 'MustRunAs', ranges: ranges([1000, 65535]) };
const GROUPS = ['runAsGroup', 'supplementalGroups', 'fsGroup'];
const ENFORCED = { mode: 'Enforce', defaulting: 'Enabled' };

export const BAD_PSP_INPUT: readonly BadInput[] = [
  bad('defaulting in mode Audit', {}, /defaulting .* needs mode: Enforce, not Audit: write mode: Enforce/, {
    defaulting: 'Enabled',
  }),
  bad(
    'defaulting like PodSecurityPolicy in mode Warn',
    {},
    /defaulting .* needs mode: Enforce, not Warn: write mode: Enforce/,
    {
      mode: 'Warn',
      defaulting: 'PodSecurityPolicy',
    },
  ),
  bad(
    'user 0 filled in',
    { runAsUser: { rule: 'MustRunAs', ranges: ranges([0, 9]) } },
    /begin ranges with a min above 0/,
    {
      ...ENFORCED,
      level: 'restricted',
    },
  ),
  bad(
    'a capability that is added and dropped',
    { capabilities: { defaultAdd: ['KILL'], requiredDrop: ['KILL'] } },
    /KILL is both in defaultAdd and in requiredDrop/,
  ),
  bad(
    'ALL added by default',
    { capabilities: { defaultAdd: ['ALL'] } },
    /defaultAdd: .*name the intended capabilities/,
  ),
  bad(
    'an unknown capability added by default',
    { capabilities: { defaultAdd: ['X'] } },
    /"X" is not a Linux capability/,
  ),
  bad('a relative path', { hostPaths: [{ pathPrefix: 'var/log' }] }, /"var\/log" is not a prefix .* an absolute path/),
  bad('a path that leads up', { hostPaths: [{ pathPrefix: '/a/../b' }] }, /"\/a\/\.\.\/b" is not a prefix of paths/),
  bad('a prefix without path', { hostPaths: [{ readOnly: true }] }, /pathPrefix: Required value/),
  bad(
    'the same path twice',
    { hostPaths: [{ pathPrefix: '/a' }, { pathPrefix: '/a', readOnly: true }] },
    /a pathPrefix is listed twice: write it once/,
  ),
  bad('the same driver twice', { csiDrivers: ['a', 'a'] }, /a is listed twice; write it once/),
  bad('an empty driver', { flexVolumeDrivers: [''] }, /flexVolumeDrivers\[0\]: .* at least 1 char/),
  bad(
    'MustRunAs without ranges',
    { runAsUser: { rule: 'MustRunAs' } },
    /MustRunAs needs ranges: list 1 to 32, such as/,
  ),
  bad('MustRunAs with no range', { runAsUser: { rule: 'MustRunAs', ranges: [] } }, /MustRunAs needs ranges/),
  bad(
    'MustRunAsNonRoot with ranges',
    { runAsUser: { ...IDS, rule: 'MustRunAsNonRoot' } },
    /ranges require rule: MustRunAs, not MustRunAsNonRoot/,
  ),
  ...GROUPS.flatMap((field) => [
    bad(`${field} MayRunAs without ranges`, { [field]: { rule: 'MayRunAs' } }, /rule: MayRunAs needs ranges: list/),
    bad(`${field} RunAsAny with ranges`, { [field]: { ...IDS, rule: 'RunAsAny' } }, /RunAsAny takes no ranges: remove/),
    bad(
      `${field} with a range the wrong way round`,
      { [field]: { rule: 'MayRunAs', ranges: ranges([9, 1]) } },
      /ranges\[0\]: .*min is above max: swap the two/,
    ),
  ]),
  bad(
    'supplementalGroups with neither a rule nor a policy',
    { supplementalGroups: {} },
    /supplementalGroups: .*write rule, such as \{rule: MayRunAs, .*\}, or policy: Strict, or both/,
  ),
  bad(
    'ranges of supplementalGroups without a rule',
    { supplementalGroups: { policy: 'Strict', ranges: IDS.ranges } },
    /supplementalGroups: .*ranges require a rule: write rule: MustRunAs or MayRunAs, or remove ranges/,
  ),
  bad(
    'another policy of supplementalGroups',
    { supplementalGroups: { policy: 'Merge' } },
    /supplementalGroups\.policy: Unsupported value: "Merge": supported values: "Strict"/,
  ),
  bad(
    'a default that allowPrivilegeEscalation refuses',
    { defaultAllowPrivilegeEscalation: true },
    /defaultAllowPrivilegeEscalation: .*the policy would refuse the default true, because allowPrivilegeEscalation is false/,
    { level: 'restricted' },
  ),
  ...['seccomp', 'appArmor'].flatMap((field) => [
    bad(
      `a default ${field} profile of a type that is not admitted`,
      { [field]: { types: ['RuntimeDefault'], default: { type: 'Unconfined' } } },
      /does not allow the type of the default profile, .*: list the type in types/,
    ),
    bad(
      `a default ${field} profile without its name`,
      { [field]: { default: { type: 'Localhost' } } },
      /localhostProfile and type: Localhost require each other/,
    ),
    bad(
      `a name of a default ${field} profile that has none`,
      { [field]: { default: { type: 'RuntimeDefault', localhostProfile: 'a' } } },
      /localhostProfile and type: Localhost require each other/,
    ),
  ]),
  bad(
    'a required seccomp profile that no pod can have',
    { seccomp: { types: [], unset: 'RefusedOnPod' } },
    /the policy would refuse every pod/,
  ),
  bad(
    'no seccomp profile where restricted asks for one',
    { seccomp: { types: [] } },
    /the policy would refuse every pod/,
    {
      levelVersion: 'v1.19',
    },
  ),
  bad('an ID below 0', { fsGroup: { rule: 'MayRunAs', ranges: ranges([-1, 1]) } }, /min: .*greater than or equal to 0/),
  ...['seccomp', 'appArmor'].flatMap((field) => [
    bad(
      `${field} profiles without type Localhost`,
      { [field]: { types: ['RuntimeDefault'], localhostProfiles: ['a'] } },
      /add Localhost, or remove localhostProfiles/,
    ),
    bad(
      `a ${field} profile with * in the middle`,
      { [field]: { localhostProfiles: ['a*b'] } },
      /"a\*b": .*only at the end, where it matches any ending, such as a\*$/m,
    ),
  ]),
  bad('SELinux MustRunAs without options', { seLinux: { rule: 'MustRunAs' } }, /MustRunAs needs options: set 'user',/),
  bad(
    'SELinux options of another rule',
    { seLinux: { rule: 'RunAsAny', options: { type: 'a' } } },
    /options require rule: MustRunAs, not RunAsAny/,
  ),
  bad(
    'a sysctl with * in the middle',
    { sysctls: { allowed: ['net.*.a'] } },
    /"net\.\*\.a" is not a sysctl: .* net\.ipv4\.\*/,
  ),
  bad(
    'a default runtime class that is not allowed',
    { runtimeClasses: { allowed: ['a'], default: 'b' } },
    /the runtime class "b" in "default" is not in "allowed", .*: add the runtime class to "allowed", or remove/,
  ),
  bad('a runtime class in capitals', { runtimeClasses: { allowed: ['gVisor'] } }, /write the name of a RuntimeClass/),
];

export const GOOD_PSP_INPUT: readonly Omit<BadInput, 'answer'>[] = [
  good(
    'no seccomp profile where restricted did not yet ask for one',
    { seccomp: { types: [] } },
    { levelVersion: 'v1.18' },
  ),
  good('groups of the pod only', { supplementalGroups: { policy: 'Strict' } }),
  good('groups of the pod only, and in ranges', { supplementalGroups: { ...IDS, policy: 'Strict' } }),
  good('what PodSecurityPolicy had', {
    capabilities: { allowedAdd: ['NET_RAW'], requiredDrop: ['ALL'], defaultAdd: ['KILL'] },
    hostPaths: [{ pathPrefix: '/var/log', readOnly: true }, { pathPrefix: '/' }],
    flexVolumeDrivers: ['example/lvm'],
    csiDrivers: [],
    runAsUser: IDS,
    runAsGroup: { ...IDS, rule: 'MayRunAs' },
    supplementalGroups: { rule: 'RunAsAny' },
    fsGroup: IDS,
    seccomp: { localhostProfiles: ['profiles/*', 'a.json'] },
    appArmor: { types: ['Localhost'], localhostProfiles: ['*'] },
    seLinux: { rule: 'MustRunAs', options: { level: 's0:c1,c2' } },
    sysctls: { allowed: ['net.ipv4.*', 'net/ipv4/tcp_*', '*'], forbidden: ['net.ipv4.ip_forward'] },
    readOnlyRootFilesystem: true,
    runtimeClasses: { allowed: ['gvisor', 'a.b'], default: 'gvisor' },
  }),
  good('defaulting', { runAsUser: IDS }, ENFORCED),
  good('defaulting like PodSecurityPolicy', {}, { ...ENFORCED, defaulting: 'PodSecurityPolicy' }),
  good(
    'user 0 filled in where no rule forbids it',
    { runAsUser: { rule: 'MustRunAs', ranges: ranges([0, 9]) } },
    {
      ...ENFORCED,
      level: 'baseline',
    },
  ),
  good(
    'defaults as PodSecurityPolicy had them',
    {
      privileged: false,
      capabilities: { requiredDrop: ['ALL', 'NET_RAW'], dropByName: true },
      defaultAllowPrivilegeEscalation: false,
      volumes: ['secret'],
      serviceAccountTokenVolumes: true,
      seccomp: {
        types: ['Localhost'],
        localhostProfiles: ['a', 'team/*'],
        unset: 'RefusedOnPod',
        default: { type: 'Localhost', localhostProfile: 'team/a' },
      },
      appArmor: { types: ['Unconfined'], default: { type: 'Unconfined' } },
    },
    { ...ENFORCED, level: 'privileged' },
  ),
  good('no SELinux option at all', { seLinux: { rule: 'MustRunAs', options: {} } }),
  good(
    'Unmasked alone, where level privileged is narrowed',
    { procMount: { types: ['Unmasked'] } },
    { level: 'privileged' },
  ),
  good('only pods without a runtime class', { runtimeClasses: { allowed: [] } }),
];
