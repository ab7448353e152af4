/** Mistakes of users, with the part of the error message that names the fix. */
import { policyManifest } from '../support/policies.ts';
import { BAD_CONTAINER_INPUT, GOOD_CONTAINER_INPUT } from './container-input.ts';
import type { BadInput } from './input.ts';
import { BAD_OCI_INPUT, GOOD_OCI_INPUT } from './oci-input.ts';
import { BAD_PSP_INPUT, GOOD_PSP_INPUT } from './psp-input.ts';

export const BAD_INPUT: readonly BadInput[] = [
  { title: 'a name that is too long', name: 'n'.repeat(64), answer: /metadata\.name is too long: write at most 63/ },
  ...selectors(),
  ...levels(),
  ...ends(),
  ...rollouts(),
  ...subjects(),
  ...capabilities(),
  ...otherOverrides(),
  ...BAD_CONTAINER_INPUT,
  ...BAD_OCI_INPUT,
  ...BAD_PSP_INPUT,
];

export const GOOD_INPUT: readonly Omit<BadInput, 'answer'>[] = [
  { title: 'nothing but selector and level' },
  { title: 'a name of 63 characters', name: 'n'.repeat(63) },
  { title: 'a selector of every kind', spec: { namespaceSelector: selectorOfEveryKind() } },
  { title: 'an old version', spec: { levelVersion: 'v1.22' } },
  { title: 'the whole range of priorities', spec: { priority: -2147483648 } },
  {
    title: 'subjects of every kind',
    spec: {
      usableBy: 'Subjects',
      subjects: [
        { kind: 'ServiceAccount', name: 'a', namespace: 'one' },
        { kind: 'ServiceAccount', name: 'a', namespace: 'two' },
        { kind: 'User', name: 'jane@example.com' },
        { kind: 'Group', name: 'system:serviceaccounts:net' },
      ],
    },
  },
  { title: 'a rollout with nothing stated', spec: { mode: 'Enforce', rollout: {} } },
  {
    title: 'a rollout with everything stated',
    spec: { mode: 'Enforce', rollout: { meanwhile: 'Audit', soak: '1h30m', namespacesPerHour: 50, paused: true } },
  },
  { title: 'a rollout that rests in mode Warn', spec: { mode: 'Warn', rollout: { soak: '1h' } } },
  { title: 'a rollout that rests in the default mode', spec: { rollout: { paused: true } } },
  { title: 'a rollout without soaking', spec: { mode: 'Enforce', rollout: { soak: '0s' } } },
  { title: 'ALL dropped and one added back', spec: caps({ allowedAdd: ['NET_RAW'], requiredDrop: ['ALL'] }) },
  { title: 'an end in UTC', spec: { expires: '2027-01-31T00:00:00Z', reason: 'until TICKET-1' } },
  { title: 'an end with an offset', spec: { expires: '2028-02-29T23:59:59+05:30' } },
  { title: 'an end that has passed', spec: { expires: '2020-01-01T00:00:00-11:00' } },
  { title: 'any capability', spec: caps({ allowedAdd: ['*'], requiredDrop: [], allowedBounding: ['*'] }) },
  { title: 'the word ALL', spec: caps({ allowedAdd: ['ALL'] }) },
  {
    title: "allowedAddInUserNamespace with the level's own capability and another capability",
    spec: caps({ allowedAddInUserNamespace: ['NET_ADMIN', 'NET_BIND_SERVICE'] }),
  },
  {
    title: 'allowedAddInUserNamespace with any capability, and requiredDrop with ALL',
    spec: caps({ allowedAdd: [], allowedAddInUserNamespace: ['*'], requiredDrop: ['ALL'] }),
  },
  {
    title: 'allowedAddInUserNamespace at the level privileged, with allowedAdd',
    spec: {
      level: 'privileged',
      overrides: { privileged: false, capabilities: { allowedAdd: [], allowedAddInUserNamespace: ['NET_ADMIN'] } },
    },
  },
  { title: 'no capability', spec: caps({ allowedAdd: [], allowedBounding: [] }) },
  {
    title: 'narrowed capabilities at level privileged, privileged stated',
    spec: { level: 'privileged', overrides: { privileged: false, capabilities: { allowedAdd: ['NET_RAW'] } } },
  },
  {
    title: 'capabilities at level privileged that narrow nothing',
    spec: { level: 'privileged', ...caps({ allowedAdd: ['*'], requiredDrop: [], allowedBounding: ['*'] }) },
  },
  { title: 'one port', spec: { overrides: { hostPorts: [{ min: 8080, max: 8080 }] } } },
  { title: 'any volume', spec: { overrides: { volumes: ['*'] } } },
  { title: 'a seccomp profile unset only', spec: { overrides: { seccomp: { types: [], unset: 'Allowed' } } } },
  {
    title: 'level baseline without a seccomp type',
    spec: { level: 'baseline', overrides: { seccomp: { types: [] } } },
  },
  {
    title: 'a profile with a character above U+FFFF',
    spec: { overrides: { seccomp: { types: ['Localhost'], localhostProfiles: ['😀/*'] } } },
  },
  { title: 'a sysctl with slashes', spec: { overrides: { sysctls: { allowed: ['net/ipv4/ip_forward'] } } } },
  ...GOOD_CONTAINER_INPUT,
  ...GOOD_OCI_INPUT,
  ...GOOD_PSP_INPUT,
];

/** Returns the policy for a row of the table. */
export function policyOf({ spec, name }: Pick<BadInput, 'spec' | 'name'>, fallback: string): object {
  return policyManifest({ name: name ?? fallback }, { namespaceSelector: {}, level: 'restricted', ...spec });
}

function rollouts(): BadInput[] {
  const rollout = (fields: object) => ({ mode: 'Enforce', rollout: fields });
  const duration =
    /spec\.rollout\.soak: .*is not a duration: write hours, minutes and seconds, such as 24h, 1h30m or 0s/;
  return [
    { title: 'a soak without a unit, in quotes', spec: rollout({ soak: '30' }), answer: duration },
    { title: 'a soak in days', spec: rollout({ soak: '7d' }), answer: duration },
    { title: 'an empty soak', spec: rollout({ soak: '' }), answer: duration },
    { title: 'a negative soak', spec: rollout({ soak: '-1h' }), answer: duration },
    {
      title: 'a soak that YAML reads as a number',
      spec: rollout({ soak: 30 }),
      // The expected beginning of the answer. The API server and cappol give different answers.
      answer:
        /spec\.rollout\.soak: .*(write it with a unit, such as 24h|is not a duration: write hours, minutes and seconds)/,
    },
    {
      title: 'a pace of zero',
      spec: rollout({ namespacesPerHour: 0 }),
      answer:
        /spec\.rollout\.namespacesPerHour: .*write a number from 1 to 100000, remove the field for no limit, or write paused: true/,
    },
    {
      title: 'mode Enforce meanwhile',
      spec: rollout({ meanwhile: 'Enforce' }),
      answer: /spec\.rollout\.meanwhile: Unsupported value: "Enforce": supported values: "Warn", "Audit"/,
    },
    {
      title: 'a selector by the label of a rollout',
      spec: { namespaceSelector: { matchLabels: { 'rollout.capabilitypolicy.dev/other': 'pending' } } },
      answer: /rollouts add and remove labels under rollout\.capabilitypolicy\.dev\/: select by another label/,
    },
    {
      title: 'a condition on the label of a rollout',
      spec: {
        namespaceSelector: { matchExpressions: [{ key: 'rollout.capabilitypolicy.dev/other', operator: 'Exists' }] },
      },
      answer: /rollouts add and remove labels under rollout\.capabilitypolicy\.dev\/: select by another label/,
    },
  ];
}

function selectors(): BadInput[] {
  const expression = (one: object) => ({ namespaceSelector: { matchExpressions: [one] } });
  return [
    {
      title: 'no selector',
      spec: { namespaceSelector: undefined },
      answer: /spec\.namespaceSelector: Required value: write \{\} for every namespace .* or matchLabels/,
    },
    {
      title: 'operator In without values',
      spec: expression({ key: 'team', operator: 'In' }),
      answer: /operator In needs values: list at least one, or write operator: Exists/,
    },
    {
      title: 'operator NotIn with an empty list',
      spec: expression({ key: 'team', operator: 'NotIn', values: [] }),
      answer: /operator NotIn needs values: list at least one, or write operator: DoesNotExist/,
    },
    {
      title: 'operator Exists with values',
      spec: expression({ key: 'team', operator: 'Exists', values: ['a'] }),
      answer: /operator Exists takes no values: remove them, or write operator: In/,
    },
    {
      title: 'operator in',
      spec: expression({ key: 'team', operator: 'in', values: ['a'] }),
      answer: /supported values: "In", "NotIn", "Exists", "DoesNotExist"/,
    },
    {
      title: 'a key with a space',
      spec: expression({ key: 'my team', operator: 'Exists' }),
      answer: /"my team" is not a label key: write name or prefix\/name, such as team/,
    },
    {
      title: 'a matchLabels key without a name',
      spec: { namespaceSelector: { matchLabels: { 'example.com/': 'a' } } },
      answer: /not a label key: write name or prefix\/name/,
    },
    {
      title: 'a matchLabels value with a colon',
      spec: { namespaceSelector: { matchLabels: { team: 'a:b' } } },
      answer: /"a:b" is not a label value: write at most 63 letters/,
    },
    {
      title: 'a value with a trailing dash',
      spec: expression({ key: 'team', operator: 'In', values: ['a-'] }),
      answer: /"a-" is not a label value: write at most 63 letters/,
    },
    ...[true, 1].flatMap((value) => [
      {
        title: `a matchLabels value that YAML reads as ${value}`,
        spec: { namespaceSelector: { matchLabels: { pci: value } } },
        answer: /matchLabels[^ ]*pci[^ ]*: .*write (?:it|'(?:true|1)', )\s*in quotes/,
      },
      {
        title: `a value that YAML reads as ${value}`,
        spec: expression({ key: 'team', operator: 'In', values: [value] }),
        answer: /values\[0\]: .*write (?:it|'(?:true|1)', )\s*in quotes/,
      },
    ]),
    {
      title: '300 values',
      spec: expression({ key: 'team', operator: 'In', values: many(300) }),
      answer: /values: Too many: 300: must have at most 100 items/,
    },
    {
      title: '300 labels',
      spec: { namespaceSelector: { matchLabels: Object.fromEntries(many(300).map((key) => [key, ''])) } },
      answer: /matchLabels: Too many: 300: must have at most 16 items/,
    },
  ];
}

function levels(): BadInput[] {
  const version = (levelVersion: unknown) => ({ levelVersion });
  return [
    { title: 'no level', spec: { level: undefined }, answer: /spec\.level: Required value/ },
    {
      title: 'level Restricted',
      spec: { level: 'Restricted' },
      answer: /supported values: "privileged", "baseline", "rest/,
    },
    { title: 'version 1.36', spec: version('1.36'), answer: /"1\.36" is not a version of a level: write v1\.36$/m },
    {
      title: 'version v1.36.3',
      spec: version('v1.36.3'),
      answer: /"v1\.36\.3" is not a version of a level: write v1\.36$/m,
    },
    {
      title: 'version newest',
      spec: version('newest'),
      answer: /"newest" is not a version .*: write latest, or v1\.N such as/,
    },
    {
      title: 'version v2.0',
      spec: version('v2.0'),
      answer: /"v2\.0" is not a version .*: write latest, or v1\.N such as/,
    },
    { title: 'version v1.036', spec: version('v1.036'), answer: /write latest, or v1\.N such as/ },
    {
      title: 'version as a number',
      spec: version(1.36),
      answer: /levelVersion: .*\bwrite (?:latest, or v1\.N|v1\.36)/,
    },
    {
      title: 'version 1.30, which YAML reads as 1.3',
      spec: version(1.3),
      answer: /levelVersion: .*\bwrite (?:latest, or v1\.N with the v, such as v1\.30|v1\.3)/,
    },
    { title: 'mode enforce', spec: { mode: 'enforce' }, answer: /supported values: "Audit", "Warn", "Enforce"/ },
    { title: 'a priority beyond int32', spec: { priority: 2147483648 }, answer: /spec\.priority: .*2147483647/ },
    {
      title: 'podSecurityLabels Off without quotes, false in YAML',
      spec: { podSecurityLabels: false },
      answer: /podSecurityLabels: .*write 'Off', in quotes: YAML reads (?:off|false) without quotes as false/,
    },
    ...[
      ['mode', '"Audit", "Warn", "Enforce"|write Audit or Warn or Enforce'],
      ['usableBy', '"Everyone", "Subjects", "Bindings"|write Everyone or Subjects or Bindings'],
      ['defaulting', '"Disabled", "Enabled", "PodSecurityPolicy"|write Disabled or Enabled or PodSecurityPolicy'],
    ].flatMap(([field, answer]) =>
      [true, false].map((value) => ({
        title: `${field} as ${value}, as YAML reads ${value ? 'on' : 'off'}`,
        spec: { [field as string]: value },
        answer: new RegExp(`${field}: .*(?:${answer})`),
      })),
    ),
    { title: 'priority in quotes', spec: { priority: '10' }, answer: /spec\.priority: .* must be of type integer/ },
  ];
}

function ends(): BadInput[] {
  const rfc3339 = 'write date and time in whole seconds with Z or an offset \\(RFC 3339\\), such as';
  const texts: readonly (readonly [string, string])[] = [
    ['tomorrow', '2027-01-31T00:00:00Z'],
    ['2027-03-01', '2027-03-01T00:00:00Z'],
    ['2027-03-01T00:00:00', '2027-01-31T00:00:00Z'],
    ['2027-03-01 00:00:00Z', '2027-01-31T00:00:00Z'],
    ['2027-03-01T00:00:00.5Z', '2027-01-31T00:00:00Z'],
    ['2027-13-01T00:00:00Z', '2027-01-31T00:00:00Z'],
    ['2027-03-01T24:00:00Z', '2027-01-31T00:00:00Z'],
    ['0000-01-01T00:00:00Z', '2027-01-31T00:00:00Z'],
  ];
  const missing = ['2027-02-30', '2027-04-31', '2027-02-29', '2100-02-29'];
  return [
    ...texts.map(([expires, fix]) => ({
      title: `expires ${expires}`,
      spec: { expires },
      answer: new RegExp(`spec\\.expires: .*"${expires}" is not a time: ${rfc3339} ${fix}`),
    })),
    ...missing.map((day) => ({
      title: `expires on ${day}, which does not exist`,
      spec: { expires: `${day}T12:00:00Z` },
      answer: new RegExp(
        `spec\\.expires: .*"${day}T12:00:00Z" is not a time: this month has fewer days; write a day that exists, such as ${day.slice(0, 8)}28T12:00:00Z`,
      ),
    })),
    {
      title: 'expires as a number of seconds',
      spec: { expires: 1801353600 },
      answer: /spec\.expires: .*(?:write a time in quotes, such as '2027-01-31T00:00:00Z'|write date and time)/,
    },
    {
      title: 'reason yes, which YAML reads as true',
      spec: { reason: true },
      answer: /spec\.reason: .*(?:write it in quotes|must be of type string)/,
    },
    {
      title: 'a reason that is too long',
      spec: { reason: 'x'.repeat(513) },
      answer: /spec\.reason: .*(?:Too long|may not be (?:more|longer) than 512|512)/,
    },
  ];
}

function subjects(): BadInput[] {
  const subject = { kind: 'ServiceAccount', name: 'pinger', namespace: 'net' };
  const usedBy = (...list: object[]) => ({ usableBy: 'Subjects', subjects: list });
  return [
    {
      title: 'usableBy Subjects without subjects',
      spec: { usableBy: 'Subjects' },
      answer: /usableBy: Subjects needs subjects: list 1 to 20, such as \{kind: ServiceAccount/,
    },
    { title: 'usableBy Subjects with an empty list', spec: usedBy(), answer: /needs subjects: list 1 to 20/ },
    {
      title: 'subjects with usableBy left out',
      spec: { subjects: [subject] },
      answer: /subjects require usableBy: Subjects, not Everyone: write usableBy: Subjects, or remove/,
    },
    {
      title: 'subjects with usableBy Bindings',
      spec: { usableBy: 'Bindings', subjects: [] },
      answer: /subjects require usableBy: Subjects, not Bindings/,
    },
    {
      title: '21 subjects',
      spec: usedBy(...many(21).map((name) => ({ kind: 'User', name }))),
      answer: /subjects: Too many: 21: must have at most 20 items/,
    },
    {
      title: 'the same subject twice',
      spec: usedBy(subject, subject),
      answer: /a subject is listed twice: write it once/,
    },
    {
      title: 'a ServiceAccount without namespace',
      spec: usedBy({ kind: 'ServiceAccount', name: 'pinger' }),
      answer: /write \{kind: ServiceAccount, name: pinger, namespace: \.\.\.\}/,
    },
    {
      title: 'a ServiceAccount in upper case',
      spec: usedBy({ ...subject, name: 'Pinger' }),
      answer:
        /Pinger is not a name of a ServiceAccount: write lower case letters, digits, '-' and '\.', such as pinger/,
    },
    {
      title: 'a Group with namespace',
      spec: usedBy({ kind: 'Group', name: 'oncall', namespace: 'net' }),
      answer: /a Group has no namespace: remove it, or write kind: ServiceAccount/,
    },
    {
      title: 'a namespace in upper case',
      spec: usedBy({ ...subject, namespace: 'Net' }),
      answer: /write the name of a namespace: lower case letters/,
    },
  ];
}

function capabilities(): BadInput[] {
  const add = (...allowedAdd: string[]) => caps({ allowedAdd });
  return [
    {
      title: 'an unknown capability',
      spec: add('NET_RAWW'),
      answer: /allowedAdd\[0\]: .*"NET_RAWW" is not a Linux capability; write one of the 41 names/,
    },
    {
      title: 'CAP_NET_RAW',
      spec: add('CAP_NET_RAW'),
      answer: /CAP_NET_RAW grants nothing on containerd; write NET_RAW$/m,
    },
    {
      title: 'cap_net_raw',
      spec: add('cap_net_raw'),
      answer: /cap_net_raw grants nothing on containerd; write NET_RAW$/m,
    },
    { title: 'lower case', spec: add('net_raw'), answer: /net_raw is not in upper case; write NET_RAW$/m },
    {
      title: 'all in lower case',
      spec: caps({ requiredDrop: ['all'] }),
      answer: /requiredDrop\[0\]: .*all is not in upper case; write ALL$/m,
    },
    { title: '* with others', spec: add('*', 'NET_RAW'), answer: /allowedAdd: .*write \['\*'\] alone, or only names/ },
    {
      title: '* with others in allowedBounding',
      spec: caps({ allowedBounding: ['*', 'NET_RAW'] }),
      answer: /allowedBounding: .*write \['\*'\] alone, or only names/,
    },
    {
      title: '* in requiredDrop',
      spec: caps({ requiredDrop: ['*'] }),
      answer: /'\*' is not a capability to drop: write ALL/,
    },
    {
      title: 'ALL in allowedBounding',
      spec: caps({ allowedBounding: ['ALL'] }),
      answer: /no container holds a capability with the name ALL: write \['\*'\]/,
    },
    {
      title: '* together with requiredDrop',
      spec: caps({ allowedAdd: ['*'], requiredDrop: ['ALL'] }),
      answer: /write requiredDrop: \[\], or name the capabilities in allowedAdd/,
    },
    {
      title: 'overlapping lists',
      spec: caps({ allowedAdd: ['CHOWN', 'NET_RAW'], requiredDrop: ['NET_RAW'] }),
      answer: /NET_RAW is both in allowedAdd and in requiredDrop: keep it in only one of the two lists/,
    },
    {
      title: 'allowedAddInUserNamespace, although allowedAdd admits any capability',
      spec: caps({ allowedAdd: ['*'], allowedAddInUserNamespace: ['NET_ADMIN'] }),
      answer:
        /allowedAddInUserNamespace: .*allowedAdd: \['\*'\] already allows every capability in every pod: remove allowedAddInUserNamespace, or name/,
    },
    {
      title: 'the same capability in allowedAddInUserNamespace and allowedAdd',
      spec: caps({ allowedAdd: ['CHOWN', 'NET_RAW'], allowedAddInUserNamespace: ['SYS_PTRACE', 'NET_RAW'] }),
      answer:
        /allowedAddInUserNamespace: .*NET_RAW is also in allowedAdd, which allows the capability in every pod: remove it from one of the two lists/,
    },
    {
      title: 'the same capability in allowedAddInUserNamespace and requiredDrop',
      spec: caps({ allowedAddInUserNamespace: ['NET_RAW'], requiredDrop: ['NET_RAW'] }),
      answer: /allowedAddInUserNamespace: .*NET_RAW is also in requiredDrop: keep it in only one of the two lists/,
    },
    {
      title: 'allowedAddInUserNamespace with any capability, and requiredDrop with one capability',
      spec: caps({ allowedAddInUserNamespace: ['*'], requiredDrop: ['NET_RAW'] }),
      answer: /allowedAddInUserNamespace: .*write requiredDrop: \[\] or \[ALL\], or name the capabilities/,
    },
    {
      title: 'capabilities in user namespaces at level privileged',
      spec: {
        level: 'privileged',
        overrides: { privileged: false, capabilities: { allowedAddInUserNamespace: ['NET_ADMIN'] } },
      },
      answer:
        /allowedAddInUserNamespace: .*level privileged already allows every capability in every pod: write allowedAdd too, such as allowedAdd: \[\]/,
    },
    {
      title: '* with others in allowedAddInUserNamespace',
      spec: caps({ allowedAddInUserNamespace: ['*', 'NET_RAW'] }),
      answer: /allowedAddInUserNamespace: .*write \['\*'\] alone, or only names/,
    },
    {
      title: 'CAP_NET_ADMIN in allowedAddInUserNamespace',
      spec: caps({ allowedAddInUserNamespace: ['CAP_NET_ADMIN'] }),
      answer: /allowedAddInUserNamespace\[0\]: .*CAP_NET_ADMIN grants nothing on containerd; write NET_ADMIN$/m,
    },
    ...['allowedAdd', 'allowedAddInUserNamespace', 'requiredDrop', 'allowedBounding'].map((list) => ({
      title: `the same capability twice in ${list}`,
      spec: caps({ [list]: ['CHOWN', 'NET_RAW', 'NET_RAW'] }),
      answer: new RegExp(`${list}: .*NET_RAW is listed twice; write it once`),
    })),
    {
      title: '300 capabilities',
      spec: add(...many(300)),
      answer: /allowedAdd: Too many: 300: must have at most 42 items/,
    },
    ...[{ allowedAdd: ['NET_RAW'] }, { requiredDrop: ['ALL'] }, { allowedBounding: [] }].map((lists) => ({
      title: `${Object.keys(lists)} at level privileged`,
      spec: { level: 'privileged', ...caps(lists) },
      answer: /level privileged admits privileged containers, .* write overrides\.privileged: false/,
    })),
  ];
}

function otherOverrides(): BadInput[] {
  const row = (title: string, overrides: object, answer: RegExp): BadInput => ({ title, spec: { overrides }, answer });
  const ports = (min: number, max: number) => ({ hostPorts: [{ min, max }] });
  const tooMany = (limit: number) => new RegExp(`Too many: 300: must have at most ${limit} items`);
  return [
    row(
      'a name for a list of names',
      { capabilities: { allowedAdd: 'NET_RAW' } },
      /allowedAdd: .* must be of type array/,
    ),
    row('a boolean in quotes', { privileged: 'true' }, /privileged: .* must be of type boolean/),
    row('a rule without its field', { runAsUser: 'MustRunAs' }, /runAsUser: .* must be of type object/),
    row('a range of ports the wrong way round', ports(9000, 8000), /hostPorts\[0\]: .*min is above max: swap the two/),
    row('port 0', ports(0, 80), /hostPorts\[0\]\.min: .*greater than or equal to 1/),
    row('port 65536', ports(1, 65536), /hostPorts\[0\]\.max: .*less than or equal to 65535/),
    row(
      'the same ports twice',
      { hostPorts: [...ports(1, 2).hostPorts, ...ports(1, 2).hostPorts] },
      /listed twice: write it/,
    ),
    row('300 ranges', { hostPorts: many(300).map((_, port) => ({ min: port + 1, max: port + 1 })) }, tooMany(32)),
    row(
      'volume configmap',
      { volumes: ['configmap'] },
      /volumes\[0\]: .*"configmap" is not a type of volume: write configMap$/m,
    ),
    row(
      'volume pvc',
      { volumes: ['pvc'] },
      /"pvc" is not a type of volume: write the name of a field of `kubectl explain/,
    ),
    row('volume * with others', { volumes: ['*', 'secret'] }, /write \['\*'\] alone, or only types/),
    row('the same volume twice', { volumes: ['nfs', 'nfs'] }, /nfs is listed twice; write it once/),
    row('300 volumes', { volumes: many(300) }, tooMany(32)),
    row('an unknown rule', { runAsUser: { rule: 'NonRoot' } }, /supported values: "RunAsAny", "NotZero"/),
    row(
      'seccomp runtime/default',
      { seccomp: { types: ['runtime/default'] } },
      /supported values: "RuntimeDefault", "Loc/,
    ),
    row(
      'no seccomp at all',
      { seccomp: { types: [], unset: 'Refused' } },
      /list a type, such as RuntimeDefault, or write unset/,
    ),
    row(
      'no seccomp type at level restricted',
      { seccomp: { types: [] } },
      /list a type, such as RuntimeDefault, or write unset/,
    ),
    row(
      'no AppArmor at all',
      { appArmor: { types: [], unset: 'Refused' } },
      /list a type, such as RuntimeDefault, or write unset/,
    ),
    row(
      'the same type twice',
      { appArmor: { types: ['Localhost', 'Localhost'] } },
      /Localhost is listed twice; write it once/,
    ),
    row(
      'procMount without Default',
      { procMount: { types: ['Unmasked'] } },
      /write \[Default\] or \[Default, Unmasked\]/,
    ),
    row('no type of procMount', { procMount: { types: [] } }, /write \[Default\] or \[Default, Unmasked\]/),
    row('the same sysctl twice', { sysctls: { forbidden: ['a.b', 'a.b'] } }, /a\.b is listed twice; write it once/),
    row(
      'a sysctl in both lists',
      { sysctls: { allowed: ['a.b'], forbidden: ['a.b'] } },
      /a\.b is in both lists, "allowed" and "forbidden"/,
    ),
    row(
      'a null among sysctls',
      { sysctls: { allowed: ['a.b', null] } },
      /sysctls\.allowed\[1\]: Invalid value: "?null"?: /,
    ),
    row(
      'a null among paths',
      { hostPaths: [null] },
      /hostPaths\[0\]: Invalid value: "?null"?: .*must be of type object/,
    ),
    row(
      'another word for unknown fields',
      { unknownFields: 'Forbidden' },
      /unknownFields: Unsupported value: "Forbidden"/,
    ),
    row(
      'an unknown field with an index',
      { allowedUnknownFields: ['spec.containers[0].securityContext.ulimits'] },
      /not a path of a pod's field: copy the path from the refusal of a pod, without indexes, such as spec\.containers\.securityContext\.ulimits/,
    ),
    row(
      'an unknown field without spec',
      { allowedUnknownFields: ['securityContext.ulimits'] },
      /not a path of a pod's field/,
    ),
    row(
      'an unknown field twice',
      { allowedUnknownFields: ['spec.a', 'spec.a'] },
      /spec\.a is listed twice; write it once/,
    ),
    row('300 sysctls', { sysctls: { allowed: many(300) } }, tooMany(64)),
  ];
}

function selectorOfEveryKind(): object {
  return {
    matchLabels: { team: 'network', 'example.com/tier': '', 'kubernetes.io/metadata.name': 'a.b_c-d' },
    matchExpressions: [
      { key: 'team', operator: 'In', values: ['a', 'b'] },
      { key: 'example.com/team', operator: 'NotIn', values: [''] },
      { key: 'a', operator: 'Exists' },
      { key: 'b', operator: 'DoesNotExist', values: [] },
    ],
  };
}

function caps(capabilities: object): { overrides: object } {
  return { overrides: { capabilities } };
}

function many(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `x${index}`);
}
