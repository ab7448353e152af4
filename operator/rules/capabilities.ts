import type { CapabilityPolicyOverrides } from '../api/capability-policy.ts';
import type { Standard } from '../standards/level-version.ts';
import { and, FOR_WINDOWS, listed, literal } from './cel.ts';
import { type Check, defineRule, type Fill } from './rule.ts';

export interface Capabilities {
  /** With those that defaulting adds. */
  readonly allowedAdd: readonly string[];
  readonly requiredDrop: readonly string[];
  readonly defaultAdd: readonly string[];
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

/** CEL, list(string): what the container asks for. */
export const ADD = 'c.?securityContext.?capabilities.?add.orValue([])';
/** CEL, list(string): what the container gives up. */
export const DROP = 'c.?securityContext.?capabilities.?drop.orValue([])';

function addCheck(allowed: readonly string[]): Check {
  const refused = `!(x in ${literal(allowed)})`;
  return {
    over: 'containers',
    violates: `${ADD}.exists(x, ${refused})`,
    message: `"must not add capability " + ${ADD}.filter(x, ${refused}).join(", ") + ${literal(` (allowed: ${listed(allowed)})`)}`,
    path: 'securityContext.capabilities.add',
  };
}

/** A drop of ALL contains each other one. */
function isMissing(required: readonly string[]): string {
  return required.includes('ALL')
    ? `!("ALL" in ${DROP})`
    : `!("ALL" in ${DROP}) && !${literal(required)}.all(x, x in ${DROP})`;
}

/** @param judged CEL, bool: for which containers; undefined for all */
function dropCheck(required: readonly string[], judged: string | undefined): Check {
  return {
    over: 'containers',
    violates: and(isMissing(required), judged),
    message: literal(`must drop capability ${listed(required)} in securityContext.capabilities.drop`),
    path: 'securityContext.capabilities.drop',
  };
}

function dropChecks(required: readonly string[], minor: number, filled: boolean): Check[] {
  if (required.length === 0) return [];
  const exempt = minor >= 25;
  if (!filled) return [dropCheck(required, exempt ? `!(${FOR_WINDOWS})` : undefined)];
  return exempt ? [] : [dropCheck(required, FOR_WINDOWS)];
}

/** CEL, list(string): what the container will add after defaulting. Dropping that very one keeps it away, ALL does not. */
export function filledAdd(defaultAdd: readonly string[]): string {
  return `(${ADD} + ${literal(defaultAdd)}.filter(x, !(x in ${ADD}) && !(x in ${DROP})))`;
}

/** CEL, list(string): what the container will drop after defaulting. */
export function filledDrop(required: readonly string[]): string {
  return `(${isMissing(required)} ? ${DROP} + ${literal(required)}.filter(x, !(x in ${DROP})) : ${DROP})`;
}

function fillsOf({ requiredDrop, defaultAdd }: Capabilities): Fill[] {
  const fill = (field: 'add' | 'drop', when: string, value: string): Fill => ({
    over: 'containers',
    path: ['securityContext', 'capabilities', field],
    when: and(when, `!(${FOR_WINDOWS})`),
    value,
  });
  const lacking = `${literal(defaultAdd)}.exists(x, !(x in ${ADD}) && !(x in ${DROP}))`;
  return [
    ...(defaultAdd.length > 0 ? [fill('add', lacking, filledAdd(defaultAdd))] : []),
    ...(requiredDrop.length > 0 ? [fill('drop', isMissing(requiredDrop), filledDrop(requiredDrop))] : []),
  ];
}

/** The lists in force: what the overrides state, and for what they leave out, the Standard's. */
export function capabilitiesOf({ capabilities }: CapabilityPolicyOverrides, { level, minor }: Standard): Capabilities {
  const restricted = level === 'restricted' && minor >= 22;
  const allowed = level === 'privileged' ? ['*'] : restricted ? RESTRICTED : BASELINE;
  const defaultAdd = capabilities?.defaultAdd ?? [];
  return {
    allowedAdd: [...new Set([...(capabilities?.allowedAdd ?? allowed), ...defaultAdd])],
    requiredDrop: capabilities?.requiredDrop ?? (restricted ? ['ALL'] : []),
    defaultAdd,
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

  value: capabilitiesOf,

  checks: ({ allowedAdd, requiredDrop }, { minor }, filled = false) => [
    ...(allowedAdd.includes('*') ? [] : [addCheck(allowedAdd)]),
    ...dropChecks(requiredDrop, minor, filled),
  ],

  fills: fillsOf,

  podSecurity: ({ allowedAdd, requiredDrop }, { minor }, label) => {
    if (!within(allowedAdd, BASELINE)) return 'privileged';
    if (label < 22) return 'restricted';
    // Windows pods pass this text from v1.25 on, and the label's from v1.25 on.
    const windows = minor >= 25 && label < 25;
    return within(allowedAdd, RESTRICTED) && requiredDrop.includes('ALL') && !windows ? 'restricted' : 'baseline';
  },
});
