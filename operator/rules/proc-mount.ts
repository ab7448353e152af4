import { and, IN_USER_NAMESPACE } from './cel.ts';
import { all, any, concat, not } from './condition.ts';
import { firstOfValues } from './fit.ts';
import { defineRule } from './rule.ts';

interface ProcMount {
  readonly types: readonly string[];
  /** Whether the value Unmasked is admitted only for pods with hostUsers: false. */
  readonly unmaskedInUserNamespace: boolean;
}

const PATH = 'securityContext.procMount';
/**
 * An item of the column `procMount`. The item admits Unmasked for a pod in a user namespace, but not for other pods.
 */
const IN_ITS_OWN = 'Unmasked with hostUsers: false';
const TYPE = 'c.?securityContext.?procMount.orValue("Default")';

export const procMount = defineRule<ProcMount>({
  id: 'procMount',
  title: 'Whether containers may see all of /proc, without the masks that hide parts of the kernel.',
  words:
    'The default /proc masks are set up to reduce attack surface, and should be required; the baseline policy admits ' +
    'Unmasked for pods in a user namespace (v1.35+).',
  sources: [
    'k8s.io/pod-security-admission/policy/check_procMount_baseline.go',
    'k8s.io/pod-security-admission/policy/check_procMount_restricted.go',
    'KEP-4265',
  ],
  guides: { cis: [], nsa: [] },
  severity: 'Kernel',
  reads: { spec: ['hostUsers'], container: ['securityContext'] },
  examples: [
    {
      overrides: { procMount: { types: ['Default', 'Unmasked'] } },
      admits: [{}, { spec: { hostUsers: false }, container: { securityContext: { procMount: 'Unmasked' } } }],
      refuses: [],
    },
    {
      overrides: { procMount: { types: ['Unmasked'] } },
      admits: [{ spec: { hostUsers: false }, container: { securityContext: { procMount: 'Unmasked' } } }],
      refuses: [{}, { container: { securityContext: { procMount: 'Default' } } }],
    },
  ],

  value: (overrides, { level, minor }) => {
    const stated = overrides.procMount?.types;
    const unmasked = level === 'privileged' || (level === 'baseline' && minor >= 35);
    return {
      types: stated ?? (unmasked ? ['Default', 'Unmasked'] : ['Default']),
      unmaskedInUserNamespace: minor >= 35 && (stated !== undefined || level !== 'privileged'),
    };
  },

  columns: ({ types, unmaskedInUserNamespace }) => ({
    procMount: types.map((type) => (type === 'Unmasked' && unmaskedInUserNamespace ? IN_ITS_OWN : type)),
  }),

  tests: (values) => [
    {
      applies: not(all(values.includes('procMount', 'Default'), values.includes('procMount', 'Unmasked'))),
      over: 'containers',
      violates: `!(${any(
        `${TYPE} in ${values.list('procMount')}`,
        all(values.includes('procMount', IN_ITS_OWN), `${TYPE} == "Unmasked"`, IN_USER_NAMESPACE),
      )})`,
      message: concat(`"must not have ${PATH} " + ${TYPE}`, '" (allowed: "', values.listed('procMount'), '")"'),
      path: PATH,
    },
  ],

  fixes: ({ types }) =>
    types.includes('Default')
      ? [
          {
            over: 'containers',
            path: ['securityContext', 'procMount'],
            when: and(`${TYPE} == "Unmasked"`, ...(types.includes('Unmasked') ? [`!(${IN_USER_NAMESPACE})`] : [])),
            value: '"Default"',
            class: 'check',
            risk: 'parts of /proc are masked, but nested containers need an unmasked /proc',
          },
        ]
      : [],
  unfixable: 'the policy requires Unmasked, which the API server accepts only with hostUsers: false',

  ofContainer: 'as-is',

  podSecurity: ({ types }, _standard, label) => {
    if (!types.includes('Unmasked')) return 'restricted';
    // The API server accepts Unmasked only with hostUsers: false (ValidateSecurityContext).
    return label >= 35 ? 'baseline' : 'privileged';
  },

  fit: () => firstOfValues('procMount', { types: ['Default'] }, { types: ['Default', 'Unmasked'] }),
});
