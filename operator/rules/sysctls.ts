import { matchesAny, namedIn } from './cel.ts';
import { all, any, type Condition, choose, concat, not } from './condition.ts';
import { distinct, namesUsed } from './fit.ts';
import { defineRule } from './rule.ts';
import { type Columns, LiteralValues, matchesIn, type Values } from './values.ts';

/** The names of allowed and forbidden sysctls. A `*` at the end of a name matches any ending. */
interface Sysctls {
  readonly allowed: readonly string[];
  readonly forbidden: readonly string[];
}

/** The sysctls that the Standard calls safe. Each item has the version of the Standard that added the sysctl. */
const SAFE: readonly (readonly [since: number, name: string])[] = [
  [0, 'kernel.shm_rmid_forced'],
  [0, 'net.ipv4.ip_local_port_range'],
  [0, 'net.ipv4.tcp_syncookies'],
  [0, 'net.ipv4.ping_group_range'],
  [0, 'net.ipv4.ip_unprivileged_port_start'],
  [27, 'net.ipv4.ip_local_reserved_ports'],
  [29, 'net.ipv4.tcp_keepalive_time'],
  [29, 'net.ipv4.tcp_fin_timeout'],
  [29, 'net.ipv4.tcp_keepalive_intvl'],
  [29, 'net.ipv4.tcp_keepalive_probes'],
  [32, 'net.ipv4.tcp_rmem'],
  [32, 'net.ipv4.tcp_wmem'],
  [37, 'net.ipv4.tcp_notsent_lowat'],
  [37, 'net.ipv4.tcp_slow_start_after_idle'],
];

/** Matches the names of sysctls that the API accepts. */
const NAME = /^([a-z0-9]([a-z0-9_-]*[a-z0-9])?[./])*[a-z0-9]([a-z0-9_-]*[a-z0-9])?$/;

function safe(minor: number): readonly string[] {
  return SAFE.filter(([since]) => since <= minor)
    .map(([, name]) => name)
    .sort();
}

function withDots(name: string): string {
  return name.replaceAll('/', '.');
}

/** A CEL expression of type list: the sysctls that the pod sets. */
const SET = 'variables.spec.?securityContext.?sysctls.orValue([])';

function restricts({ allowed, forbidden }: Sysctls): boolean {
  return !allowed.includes('*') || forbidden.length > 0;
}

/**
 * A CEL expression of type bool, for a sysctl `s`: true if the policy refuses `s`. The API server reads net/ipv4/x as
 * net.ipv4.x. So the policy refuses a forbidden name in both spellings. An allowed name admits the spelling in the list
 * and no other spelling, as in the Standard.
 */
function refusedBy(values: Values): Condition {
  const isForbidden = values.specialized(
    ({ forbiddenSysctls = [] }) => matchesAny('n', forbiddenSysctls.map(withDots)),
    () => {
      const dotted = `${values.list('forbiddenSysctls')}.map(q, q.split("/").join("."))`;
      return matchesIn('n', values.computed('forbiddenDottedSysctls', dotted));
    },
  );
  return any(
    all(not(values.includes('sysctls', '*')), `!(${values.matches('s.name', 'sysctls')})`),
    all(values.hasSome('forbiddenSysctls'), `[s.name.split("/").join(".")].exists(n, ${isForbidden})`),
  );
}

function columnsOf({ allowed, forbidden }: Sysctls): Columns {
  return {
    sysctls: allowed,
    forbiddenSysctls: forbidden,
  };
}

export const sysctls = defineRule<Sysctls, string>({
  id: 'sysctls',
  title: 'Which kernel parameters a pod may set.',
  words:
    'Sysctls can disable security mechanisms or affect all containers on a host, and should be disallowed except for an ' +
    'allowed "safe" subset.',
  sources: ['k8s.io/pod-security-admission/policy/check_sysctls.go'],
  guides: { cis: [], nsa: [] },
  severity: 'Kernel',
  reads: { spec: ['securityContext'] },
  examples: [
    {
      overrides: { sysctls: { allowed: ['net.ipv4.*'], forbidden: ['net.ipv4.ip_forward'] } },
      admits: [{ spec: { securityContext: { sysctls: [{ name: 'net.ipv4.tcp_syncookies', value: '1' }] } } }],
      refuses: [
        { spec: { securityContext: { sysctls: [{ name: 'net.ipv4.ip_forward', value: '1' }] } } },
        { spec: { securityContext: { sysctls: [{ name: 'net.core.somaxconn', value: '1' }] } } },
      ],
    },
    {
      overrides: {
        sysctls: { allowed: ['net.*', 'kernel.shm_rmid_forced'], forbidden: ['kernel.*', 'net.ipv4.tcp_rmem'] },
      },
      admits: [{ spec: { securityContext: { sysctls: [{ name: 'net.core.somaxconn', value: '1' }] } } }],
      refuses: [{ spec: { securityContext: { sysctls: [{ name: 'kernel.shm_rmid_forced', value: '1' }] } } }],
    },
  ],

  value: (overrides, { level, minor }) => ({
    allowed: overrides.sysctls?.allowed ?? (level === 'privileged' ? ['*'] : safe(minor)),
    forbidden: overrides.sysctls?.forbidden ?? [],
  }),

  columns: columnsOf,

  tests: (values) => {
    const isAny = values.includes('sysctls', '*');
    const some = values.hasSome('forbiddenSysctls');
    const refused = refusedBy(values);
    const text = concat(
      '" ("',
      choose(isAny, '""', concat('"allowed: "', values.listed('sysctls'))),
      choose(all(not(isAny), some), '"; "', '""'),
      choose(some, concat('"forbidden: "', values.listed('forbiddenSysctls')), '""'),
      '")"',
    );
    const message = concat(
      `"must not set sysctl " + ${namedIn(SET, `${SET}.filter(s, ${refused}).map(s, s.name).join(", ")`)}`,
      text,
    );
    return [
      {
        applies: any(not(isAny), some),
        over: 'pod',
        violates: `${SET}.exists(s, ${refused})`,
        message,
        path: 'securityContext.sysctls',
      },
    ];
  },

  fixes: (value) =>
    restricts(value)
      ? [
          {
            over: 'pod',
            path: ['securityContext', 'sysctls'],
            when: `${SET}.exists(s, ${refusedBy(new LiteralValues(columnsOf(value)))})`,
            value: `${SET}.filter(s, !(${refusedBy(new LiteralValues(columnsOf(value)))}))`,
            class: 'check',
            risk: 'the pod runs with the default value of the kernel parameter',
          },
        ]
      : [],

  podSecurity: ({ allowed }, _standard, label) => {
    const known = safe(label);
    return allowed.every((name) => known.includes(name)) ? 'restricted' : 'privileged';
  },

  fit: ({ minor }) => ({
    asks: [{ over: 'pod', for: 'variables.spec.?securityContext.?sysctls.orValue([]).map(s, s.name)' }],
    own: safe(minor),
    choices: (names) => namesUsed('sysctls.allowed', distinct(names), { valid: NAME, most: 64, any: ['*'] }),
  }),
});
