import { and, FOR_WINDOWS, listed, literal } from './cel.ts';
import { type Check, defineRule } from './rule.ts';

interface Capabilities {
  readonly allowedAdd: readonly string[];
  readonly requiredDrop: readonly string[];
}

/** What the baseline level may add: the default set of the runtimes of old, without NET_RAW. */
const BASELINE = [
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
];
const RESTRICTED = ['NET_BIND_SERVICE'];

const ADD = 'c.?securityContext.?capabilities.?add.orValue([])';
const DROP = 'c.?securityContext.?capabilities.?drop.orValue([])';

function addCheck(allowed: readonly string[]): Check {
  const refused = `!(x in ${literal(allowed)})`;
  return {
    over: 'containers',
    violates: `${ADD}.exists(x, ${refused})`,
    message: `"must not add capability " + ${ADD}.filter(x, ${refused}).join(", ") + ${literal(` (allowed: ${listed(allowed)})`)}`,
    path: 'securityContext.capabilities.add',
  };
}

function dropCheck(required: readonly string[], minor: number): Check {
  const missing = required.includes('ALL')
    ? `!("ALL" in ${DROP})`
    : `!("ALL" in ${DROP}) && !${literal(required)}.all(x, x in ${DROP})`;
  return {
    over: 'containers',
    violates: and(missing, minor >= 25 ? `!(${FOR_WINDOWS})` : undefined),
    message: literal(`must drop capability ${listed(required)} in securityContext.capabilities.drop`),
    path: 'securityContext.capabilities.drop',
  };
}

function within(names: readonly string[], set: readonly string[]): boolean {
  return names.every((name) => set.includes(name));
}

export const capabilities = defineRule<Capabilities>({
  id: 'capabilities',
  title: 'Which capabilities containers may add, and which they must drop.',
  words:
    'Adding additional capabilities beyond the default set must be disallowed (baseline). Containers must drop ALL ' +
    'capabilities, and are only permitted to add back NET_BIND_SERVICE (restricted, v1.22+).',
  sources: [
    'k8s.io/pod-security-admission/policy/check_capabilities_baseline.go',
    'k8s.io/pod-security-admission/policy/check_capabilities_restricted.go',
  ],
  reads: { spec: ['os'], container: ['securityContext'] },

  value: ({ capabilities: stated }, { level, minor }) => {
    const restricted = level === 'restricted' && minor >= 22;
    const allowed = level === 'privileged' ? ['*'] : restricted ? RESTRICTED : BASELINE;
    return {
      allowedAdd: stated?.allowedAdd ?? allowed,
      requiredDrop: stated?.requiredDrop ?? (restricted ? ['ALL'] : []),
    };
  },

  checks: ({ allowedAdd, requiredDrop }, { minor }) => [
    ...(allowedAdd.includes('*') ? [] : [addCheck(allowedAdd)]),
    ...(requiredDrop.length > 0 ? [dropCheck(requiredDrop, minor)] : []),
  ],

  podSecurity: ({ allowedAdd, requiredDrop }, { minor }, label) => {
    if (!within(allowedAdd, BASELINE)) return 'privileged';
    if (label < 22) return 'restricted';
    // Windows pods pass this text from v1.25 on, and the label's from v1.25 on.
    const windows = minor >= 25 && label < 25;
    return within(allowedAdd, RESTRICTED) && requiredDrop.includes('ALL') && !windows ? 'restricted' : 'baseline';
  },
});
