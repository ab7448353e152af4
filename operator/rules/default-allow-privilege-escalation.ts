import { allowPrivilegeEscalation, FIELD, NEVER_FALSE } from './allow-privilege-escalation.ts';
import { and, FOR_WINDOWS } from './cel.ts';
import { all } from './condition.ts';
import { exemptions, isForLinux } from './exemptions.ts';
import { defineRule } from './rule.ts';

const PATH = 'securityContext.allowPrivilegeEscalation';

export const defaultAllowPrivilegeEscalation = defineRule<boolean | undefined>({
  id: 'defaultAllowPrivilegeEscalation',
  title: 'Whether containers that leave allowPrivilegeEscalation unset may gain privileges.',
  words:
    'The Pod Security Standards have no such rule. PodSecurityPolicy: the value is filled in if a container leaves ' +
    'allowPrivilegeEscalation unset. With the value false, the policy refuses privileged containers, because the API server ' +
    'does not accept allowPrivilegeEscalation: false in them.',
  sources: ['PodSecurityPolicy defaultAllowPrivilegeEscalation'],
  guides: { cis: ['5.2.6'], nsa: ['Root'] },
  severity: 'Privileges',
  reads: { spec: ['os'], container: ['securityContext'] },
  examples: [
    {
      level: 'baseline',
      overrides: { defaultAllowPrivilegeEscalation: false },
      admits: [{}],
      refuses: [{ container: { securityContext: { privileged: true } } }],
    },
  ],

  // If the rule allowPrivilegeEscalation refuses `true`, that rule itself fills in `false`. So this default has an
  // effect if the rule allowPrivilegeEscalation admits `true`. If that rule refuses `true`, this default has no effect.
  value: (overrides, standard) =>
    allowPrivilegeEscalation.value(overrides, standard) === true
      ? overrides.defaultAllowPrivilegeEscalation
      : undefined,

  columns: (filling, standard) => ({
    defaultAllowPrivilegeEscalation: filling === undefined ? [] : [`${filling}`],
    ...exemptions(standard),
  }),

  tests: (values) => [
    {
      // The API server refuses the field allowPrivilegeEscalation on pods for Windows.
      applies: all(values.includes('defaultAllowPrivilegeEscalation', 'false'), isForLinux(values)),
      over: 'containers',
      violates: and(`!${FIELD}.hasValue()`, NEVER_FALSE),
      message: `"must set ${PATH}=true: unset means false here, which it cannot be"`,
      path: PATH,
    },
  ],

  fillings: (values) =>
    (['true', 'false'] as const).map((value) => ({
      applies: values.includes('defaultAllowPrivilegeEscalation', value),
      over: 'containers',
      path: ['securityContext', 'allowPrivilegeEscalation'],
      when: and(`!${FIELD}.hasValue()`, `!(${value === 'true' ? FOR_WINDOWS : NEVER_FALSE})`),
      value,
    })),

  fixes: (filling) =>
    filling === false
      ? [
          {
            over: 'containers',
            path: ['securityContext', 'allowPrivilegeEscalation'],
            when: and(`!${FIELD}.hasValue()`, NEVER_FALSE, `!(${FOR_WINDOWS})`),
            value: 'true',
            class: 'safe',
            risk: 'none: container runtimes already treat an unset field as true',
          },
        ]
      : [],
  unfixable: 'the API server refuses allowPrivilegeEscalation on pods for Windows',

  ofContainer: 'as-is',

  podSecurity: () => 'restricted',

  // No policy needs this override to admit a pod. The override fills in a value and does nothing else.
  fit: () => ({ choices: () => [{}] }),
});
