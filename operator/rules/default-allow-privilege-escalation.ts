import { allowPrivilegeEscalation, FIELD, NEVER_FALSE } from './allow-privilege-escalation.ts';
import { and, FOR_WINDOWS } from './cel.ts';
import { defineRule } from './rule.ts';

const PATH = 'securityContext.allowPrivilegeEscalation';

export const defaultAllowPrivilegeEscalation = defineRule<boolean | undefined>({
  id: 'defaultAllowPrivilegeEscalation',
  title: 'Whether containers that leave allowPrivilegeEscalation unset may gain privileges.',
  words:
    'No Standard has this. PodSecurityPolicy: the value is filled in where it is unset, and a container on which the API ' +
    'server accepts no false, such as a privileged one, is refused.',
  sources: ['PodSecurityPolicy defaultAllowPrivilegeEscalation'],
  guides: { cis: ['5.2.6'], nsa: ['Root'] },
  reads: { spec: ['os'], container: ['securityContext'] },

  // The rule that refuses a value fills it in.
  value: (overrides, standard) =>
    allowPrivilegeEscalation.value(overrides, standard) === true
      ? overrides.defaultAllowPrivilegeEscalation
      : undefined,

  checks: (filling, { minor }) =>
    filling === false
      ? [
          {
            over: 'containers',
            violates: and(
              `!${FIELD}.hasValue()`,
              NEVER_FALSE,
              // The API server refuses the field on pods for Windows.
              minor >= 25 ? `!(${FOR_WINDOWS})` : undefined,
            ),
            message: `"must set ${PATH}=true: unset means false here, which it cannot be"`,
            path: PATH,
          },
        ]
      : [],

  fills: (filling) =>
    filling === undefined
      ? []
      : [
          {
            over: 'containers',
            path: ['securityContext', 'allowPrivilegeEscalation'],
            when: and(`!${FIELD}.hasValue()`, `!(${filling ? FOR_WINDOWS : NEVER_FALSE})`),
            value: `${filling}`,
          },
        ],

  fixes: (filling) =>
    filling === false
      ? [
          {
            over: 'containers',
            path: ['securityContext', 'allowPrivilegeEscalation'],
            when: and(`!${FIELD}.hasValue()`, NEVER_FALSE, `!(${FOR_WINDOWS})`),
            value: 'true',
            class: 'safe',
            risk: 'none: container runtimes read a field that is not set in the same way',
          },
        ]
      : [],
  unfixable: 'the API server refuses allowPrivilegeEscalation on pods for Windows',

  ofContainer: 'as-is',

  podSecurity: () => 'restricted',

  // The field only fills in: if it is left out, it refuses nothing.
  fit: () => ({ choices: () => [{}] }),
});
