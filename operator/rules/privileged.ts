import { firstOfValues } from './fit.ts';
import { defineRule } from './rule.ts';

export const privileged = defineRule<boolean>({
  id: 'privileged',
  title: 'Whether a container may be privileged: it then holds all capabilities, whatever it drops.',
  words: 'Privileged Pods disable most security mechanisms and must be disallowed.',
  sources: ['k8s.io/pod-security-admission/policy/check_privileged.go'],
  reads: { container: ['securityContext'] },

  value: (overrides, { level }) => overrides.privileged ?? level === 'privileged',

  checks: (allowed) =>
    allowed
      ? []
      : [
          {
            over: 'containers',
            violates: 'c.?securityContext.?privileged.orValue(false)',
            message: '"must not set securityContext.privileged=true"',
            path: 'securityContext.privileged',
          },
        ],

  ofContainer: 'as-is',

  podSecurity: (allowed) => (allowed ? 'privileged' : 'restricted'),

  fit: () => firstOfValues('privileged', false, true),
});
