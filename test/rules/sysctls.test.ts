import { pod } from '../support/pods.ts';
import { describeRule, type Table } from './table.ts';

const sysctls = (...names: string[]) =>
  pod({ securityContext: { sysctls: names.map((name) => ({ name, value: '1' })) } });

const V0 = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_syncookies',
];
const V27 = ['net.ipv4.ip_local_reserved_ports'];
const V29 = [
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
];
const V32 = ['net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem'];
const V37 = ['net.ipv4.tcp_notsent_lowat', 'net.ipv4.tcp_slow_start_after_idle'];

/**
 * A table that admits each sysctl of `safe` alone, and all sysctls of `safe` together. The table refuses each sysctl of
 * `yetToCome`.
 */
function table(level: 'baseline' | 'restricted', minor: number, safe: string[], yetToCome: string[]): Table {
  const allowed = `(allowed: ${safe.toSorted().join(', ')})`;
  const refused = [...yetToCome, 'kernel.msgmax', 'net/ipv4/tcp_syncookies'];
  return {
    level,
    minor,
    admits: {
      none: pod(),
      'an empty list': sysctls(),
      'all safe ones': sysctls(...safe),
      ...Object.fromEntries(safe.map((name) => [name, sysctls(name)])),
    },
    refuses: {
      ...Object.fromEntries(
        refused.map((name) => [name, [sysctls(name), `pod must not set sysctl ${name} ${allowed}`] as const]),
      ),
      'two among safe ones': [
        sysctls('kernel.sem', V0[0] ?? '', 'kernel.msgmax'),
        `pod must not set sysctl kernel.sem, kernel.msgmax ${allowed}`,
      ],
    },
  };
}

const versions = (level: 'baseline' | 'restricted') => [
  table(level, 0, V0, [...V27, ...V29, ...V32, ...V37]),
  table(level, 27, [...V0, ...V27], [...V29, ...V32, ...V37]),
  table(level, 29, [...V0, ...V27, ...V29], [...V32, ...V37]),
  table(level, 32, [...V0, ...V27, ...V29, ...V32], V37),
  table(level, 37, [...V0, ...V27, ...V29, ...V32, ...V37], []),
];

const WILD = '(allowed: net.ipv4.*, kernel.msgmax; forbidden: net/ipv4/ip_*)';

describeRule('sysctls', [
  { level: 'privileged', admits: { any: sysctls('kernel.msgmax') } },
  ...versions('baseline'),
  ...versions('restricted'),
  {
    level: 'restricted',
    overrides: { sysctls: { allowed: ['kernel.msgmax'] } },
    admits: { 'the sysctls that the list names': sysctls('kernel.msgmax') },
    refuses: {
      "a sysctl that the level allows: the list replaces the level's": [
        sysctls('net.ipv4.tcp_syncookies'),
        'pod must not set sysctl net.ipv4.tcp_syncookies (allowed: kernel.msgmax)',
      ],
    },
  },
  {
    level: 'privileged',
    overrides: { sysctls: { forbidden: ['net.ipv4.ip_forward'] } },
    admits: { others: sysctls('kernel.msgmax') },
    refuses: {
      'a forbidden one': [
        sysctls('net.ipv4.ip_forward'),
        'pod must not set sysctl net.ipv4.ip_forward (forbidden: net.ipv4.ip_forward)',
      ],
      'a forbidden one with slashes, which the kubelet reads as dots': [
        sysctls('net/ipv4/ip_forward'),
        'pod must not set sysctl net/ipv4/ip_forward (forbidden: net.ipv4.ip_forward)',
      ],
    },
  },
  {
    level: 'baseline',
    overrides: { sysctls: { allowed: ['net.ipv4.*', 'kernel.msgmax'], forbidden: ['net/ipv4/ip_*'] } },
    admits: {
      'a name with an allowed beginning': sysctls('net.ipv4.tcp_syncookies'),
      'an allowed name': sysctls('kernel.msgmax'),
    },
    refuses: {
      'a longer name than an allowed one': [
        sysctls('kernel.msgmaxx'),
        `pod must not set sysctl kernel.msgmaxx ${WILD}`,
      ],
      'an allowed one in another spelling': [
        sysctls('net/ipv4/tcp_syncookies'),
        `pod must not set sysctl net/ipv4/tcp_syncookies ${WILD}`,
      ],
      'a name with a forbidden beginning': [
        sysctls('net.ipv4.ip_forward'),
        `pod must not set sysctl net.ipv4.ip_forward ${WILD}`,
      ],
    },
  },
  {
    level: 'baseline',
    minor: 0,
    overrides: { sysctls: { forbidden: ['net.ipv4.tcp_syncookies'] } },
    admits: { 'other sysctls that the level allows': sysctls('kernel.shm_rmid_forced') },
    refuses: {
      'a sysctl that the level allows and the list forbids': [
        sysctls('net.ipv4.tcp_syncookies'),
        `pod must not set sysctl net.ipv4.tcp_syncookies (allowed: ${V0.join(', ')}; forbidden: net.ipv4.tcp_syncookies)`,
      ],
    },
  },
]);
