import { ADD } from './capability-lists.ts';
import { and, effective, FOR_WINDOWS } from './cel.ts';
import { all, type Condition } from './condition.ts';
import { exemptions, isForLinux } from './exemptions.ts';
import { firstOfValues } from './fit.ts';
import { defineRule, type Fix } from './rule.ts';
import type { Values } from './values.ts';

/** A CEL expression of type optional: the field allowPrivilegeEscalation of a container. */
export const FIELD = 'c.?securityContext.?allowPrivilegeEscalation';

/**
 * A CEL expression of type bool: true if the API server refuses `allowPrivilegeEscalation: false` on the container
 * (ValidateSecurityContext). Defaulting skips such a container.
 */
export const NEVER_FALSE = [
  'c.?securityContext.?privileged.orValue(false)',
  '"CAP_SYS_ADMIN" in c.?securityContext.?capabilities.?add.orValue([])',
  FOR_WINDOWS,
].join(' || ');

/**
 * A CEL expression of type bool: true if the container adds capabilities and does not run as root. A process with a
 * user other than root needs file capabilities to get capabilities. But no_new_privs disables file capabilities
 * (capabilities(7)).
 */
const RELIES_ON_FILE_CAPABILITIES = and(
  `${ADD}.size() > 0`,
  `${effective('runAsNonRoot')}.orValue(false) || ${effective('runAsUser')}.orValue(0) != 0`,
);

function isForbidden(values: Values): Condition {
  return values.includes('allowPrivilegeEscalation', 'Forbidden');
}

/**
 * The fix always has the class `check`, because the manifest does not show which programs of the image have the
 * set-user-ID bit. Even in a container without capabilities, a program with the set-user-ID bit runs as the owner of
 * the program's file. The program can then use the owner's other files.
 */
function fix(when: string, risk: string): Fix {
  return {
    over: 'containers',
    path: ['securityContext', 'allowPrivilegeEscalation'],
    when: and(when, `!(${NEVER_FALSE})`),
    value: 'false',
    class: 'check',
    risk,
  };
}

const FIXES: Fix[] = [
  fix(
    `!${FIELD}.hasValue() && ${RELIES_ON_FILE_CAPABILITIES}`,
    'file capabilities no longer have an effect, so a user other than root no longer gets the capabilities that the container adds',
  ),
  fix(
    `!${FIELD}.hasValue()`,
    'set-user-ID programs, such as sudo, no longer raise privileges: images for builds and for CI often use them',
  ),
  fix(
    `${FIELD}.orValue(false)`,
    'somebody set this value on purpose: set-user-ID programs, such as sudo, and file capabilities no longer raise privileges',
  ),
];

export const allowPrivilegeEscalation = defineRule<boolean>({
  id: 'allowPrivilegeEscalation',
  title:
    'Whether the processes of a container may gain privileges that the container does not have, for example through setuid binaries.',
  words: 'Privilege escalation (such as via set-user-ID or set-group-ID file mode) should not be allowed.',
  sources: ['k8s.io/pod-security-admission/policy/check_allowPrivilegeEscalation.go'],
  guides: { cis: ['5.2.6'], nsa: ['Root'] },
  severity: 'Privileges',
  phrases: {
    allowPrivilegeEscalation: (allowed: boolean) => `${allowed ? 'may' : 'must not'} gain privileges (setuid)`,
  },
  reads: { spec: ['os', 'securityContext'], container: ['securityContext'] },
  examples: [
    {
      overrides: { allowPrivilegeEscalation: false },
      admits: [{ container: { securityContext: { allowPrivilegeEscalation: false } } }],
      refuses: [{}, { container: { securityContext: { allowPrivilegeEscalation: true } } }],
    },
  ],

  value: (overrides, { level, minor }) => overrides.allowPrivilegeEscalation ?? (level !== 'restricted' || minor < 8),

  columns: (allowed, standard) => ({
    allowPrivilegeEscalation: [allowed ? 'Allowed' : 'Forbidden'],
    ...exemptions(standard),
  }),

  tests: (values, { filled }) => [
    {
      applies: all(isForbidden(values), isForLinux(values)),
      over: 'containers',
      violates: `${FIELD}.orValue(${filled ? NEVER_FALSE : 'true'})`,
      message: '"must set securityContext.allowPrivilegeEscalation=false"',
      path: 'securityContext.allowPrivilegeEscalation',
    },
  ],

  fillings: (values) => [
    {
      applies: isForbidden(values),
      over: 'containers',
      path: ['securityContext', 'allowPrivilegeEscalation'],
      when: and(`!${FIELD}.hasValue()`, `!(${NEVER_FALSE})`),
      value: 'false',
    },
  ],

  fixes: (allowed) => (allowed ? [] : FIXES),
  unfixable:
    'the API server refuses allowPrivilegeEscalation: false if the container is privileged or adds CAP_SYS_ADMIN, and on pods for Windows',

  ofContainer: 'as-is',

  podSecurity: (allowed, { minor }, label) => {
    if (label < 8) return 'restricted';
    if (allowed) return 'baseline';
    // From v1.25 on, the rule and the label admit pods for Windows. A label of an older version therefore refuses more
    // pods than the rule.
    return minor >= 25 && label < 25 ? 'baseline' : 'restricted';
  },

  fit: () => firstOfValues('allowPrivilegeEscalation', false, true),
});
