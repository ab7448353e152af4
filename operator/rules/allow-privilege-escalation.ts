import { and, FOR_WINDOWS } from './cel.ts';
import { firstOfValues } from './fit.ts';
import { defineRule } from './rule.ts';

/** CEL, optional. */
export const FIELD = 'c.?securityContext.?allowPrivilegeEscalation';

/** CEL, bool: the API server refuses false on these (ValidateSecurityContext), so defaulting leaves them alone. */
export const NEVER_FALSE = [
  'c.?securityContext.?privileged.orValue(false)',
  '"CAP_SYS_ADMIN" in c.?securityContext.?capabilities.?add.orValue([])',
  FOR_WINDOWS,
].join(' || ');

export const allowPrivilegeEscalation = defineRule<boolean>({
  id: 'allowPrivilegeEscalation',
  title: 'Whether a container may leave no-new-privileges off, so that setuid binaries gain what it was not given.',
  words: 'Privilege escalation (such as via set-user-ID or set-group-ID file mode) should not be allowed.',
  sources: ['k8s.io/pod-security-admission/policy/check_allowPrivilegeEscalation.go'],
  reads: { spec: ['os'], container: ['securityContext'] },

  value: (overrides, { level, minor }) => overrides.allowPrivilegeEscalation ?? (level !== 'restricted' || minor < 8),

  checks: (allowed, { minor }, filled) =>
    allowed
      ? []
      : [
          {
            over: 'containers',
            violates: and(
              `${FIELD}.orValue(${filled ? NEVER_FALSE : 'true'})`,
              minor >= 25 ? `!(${FOR_WINDOWS})` : undefined,
            ),
            message: '"must set securityContext.allowPrivilegeEscalation=false"',
            path: 'securityContext.allowPrivilegeEscalation',
          },
        ],

  fills: (allowed) =>
    allowed
      ? []
      : [
          {
            over: 'containers',
            path: ['securityContext', 'allowPrivilegeEscalation'],
            when: and(`!${FIELD}.hasValue()`, `!(${NEVER_FALSE})`),
            value: 'false',
          },
        ],

  ofContainer: 'as-is',

  podSecurity: (allowed, { minor }, label) => {
    if (label < 8) return 'restricted';
    if (allowed) return 'baseline';
    // The text and the label both admit Windows pods from v1.25 on.
    return minor >= 25 && label < 25 ? 'baseline' : 'restricted';
  },

  fit: () => firstOfValues('allowPrivilegeEscalation', false, true),
});
