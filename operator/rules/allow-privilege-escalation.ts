import { and, FOR_WINDOWS } from './cel.ts';
import { defineRule } from './rule.ts';

export const allowPrivilegeEscalation = defineRule<boolean>({
  id: 'allowPrivilegeEscalation',
  title: 'Whether a container may leave no-new-privileges off, so that setuid binaries gain what it was not given.',
  words: 'Privilege escalation (such as via set-user-ID or set-group-ID file mode) should not be allowed.',
  sources: ['k8s.io/pod-security-admission/policy/check_allowPrivilegeEscalation.go'],
  reads: { spec: ['os'], container: ['securityContext'] },

  value: (overrides, { level, minor }) => overrides.allowPrivilegeEscalation ?? (level !== 'restricted' || minor < 8),

  checks: (allowed, { minor }) =>
    allowed
      ? []
      : [
          {
            over: 'containers',
            violates: and(
              'c.?securityContext.?allowPrivilegeEscalation.orValue(true)',
              minor >= 25 ? `!(${FOR_WINDOWS})` : undefined,
            ),
            message: '"must set securityContext.allowPrivilegeEscalation=false"',
            path: 'securityContext.allowPrivilegeEscalation',
          },
        ],

  podSecurity: (allowed, { minor }, label) => {
    if (label < 8) return 'restricted';
    if (allowed) return 'baseline';
    // Windows pods pass this text from v1.25 on, and the label's from v1.25 on.
    return minor >= 25 && label < 25 ? 'baseline' : 'restricted';
  },
});
