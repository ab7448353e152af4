import { and, IN_USER_NAMESPACE } from './cel.ts';
import { defineRule } from './rule.ts';

type RunAsUser = { readonly rule: 'RunAsAny' | 'NotZero' };

const PATH = 'securityContext.runAsUser';
const ZERO = '?securityContext.?runAsUser.orValue(1) == 0';

export const runAsUser = defineRule<RunAsUser>({
  id: 'runAsUser',
  title: 'Which user IDs containers may run as.',
  words: 'Containers must not set runAsUser to 0 (v1.23+), unless the pod is in a user namespace (v1.35+).',
  sources: ['k8s.io/pod-security-admission/policy/check_runAsUser.go', 'KEP-127'],
  reads: { spec: ['securityContext', 'hostUsers'], container: ['securityContext'] },

  value: (overrides, { level, minor }) =>
    overrides.runAsUser ?? { rule: level === 'restricted' && minor >= 23 ? 'NotZero' : 'RunAsAny' },

  checks: ({ rule }, { minor }) => {
    if (rule === 'RunAsAny') return [];
    const unlessMapped = minor >= 35 ? `!(${IN_USER_NAMESPACE})` : undefined;
    const message = `"must not set ${PATH}=0"`;
    return [
      { over: 'pod', violates: and(`variables.spec.${ZERO}`, unlessMapped), message, path: PATH },
      { over: 'containers', violates: and(`c.${ZERO}`, unlessMapped), message, path: PATH },
    ];
  },

  podSecurity: ({ rule }, { minor }, label) => {
    if (label < 23) return 'restricted';
    if (rule === 'RunAsAny') return 'baseline';
    return minor >= 35 && label < 35 ? 'baseline' : 'restricted';
  },
});
