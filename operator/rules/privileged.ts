import { forbiddenField } from './forbidden-field.ts';

export const privileged = forbiddenField({
  id: 'privileged',
  title: 'Whether a container may be privileged: it then holds all capabilities, whatever it drops.',
  words: 'Privileged Pods disable most security mechanisms and must be disallowed.',
  sources: ['k8s.io/pod-security-admission/policy/check_privileged.go'],
  reads: { container: ['securityContext'] },
  ofContainer: 'as-is',
  checks: [
    {
      over: 'containers',
      violates: 'c.?securityContext.?privileged.orValue(false)',
      message: '"must not set securityContext.privileged=true"',
      path: 'securityContext.privileged',
    },
  ],
});
