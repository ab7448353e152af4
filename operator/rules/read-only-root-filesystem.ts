import { and, FOR_WINDOWS } from './cel.ts';
import { all, type Condition } from './condition.ts';
import { firstOfValues } from './fit.ts';
import { defineRule } from './rule.ts';
import type { Values } from './values.ts';

const PATH = 'securityContext.readOnlyRootFilesystem';
const FIELD = 'c.?securityContext.?readOnlyRootFilesystem';
// The API server refuses readOnlyRootFilesystem on pods for Windows.
const UNLESS_FOR_WINDOWS = `!(${FOR_WINDOWS})`;

function isRequired(values: Values): Condition {
  return values.includes('readOnlyRootFilesystem', 'Required');
}

export const readOnlyRootFilesystem = defineRule<boolean>({
  id: 'readOnlyRootFilesystem',
  title: 'Whether the root filesystem of containers must be read-only.',
  words:
    'The Pod Security Standards have no such rule. PodSecurityPolicy: containers must run with a read-only root filesystem.',
  sources: ['PodSecurityPolicy readOnlyRootFilesystem'],
  guides: { cis: [], nsa: ['ImmutableFileSystem'] },
  severity: 'Identity',
  phrases: {
    readOnlyRootFilesystem: (required: boolean) =>
      required ? 'must have a read-only root filesystem' : 'may write to the root filesystem',
  },
  reads: { spec: ['os'], container: ['securityContext'] },
  examples: [
    {
      overrides: { readOnlyRootFilesystem: true },
      admits: [{ container: { securityContext: { readOnlyRootFilesystem: true } } }],
      refuses: [{}, { container: { securityContext: { readOnlyRootFilesystem: false } } }],
    },
  ],

  value: (overrides) => overrides.readOnlyRootFilesystem ?? false,

  columns: (required) => ({ readOnlyRootFilesystem: [required ? 'Required' : 'Optional'] }),

  tests: (values, { filled }) => [
    {
      applies: all(isRequired(values), UNLESS_FOR_WINDOWS),
      over: 'containers',
      violates: `!${FIELD}.orValue(${filled ? 'true' : 'false'})`,
      message: `"must set ${PATH}=true"`,
      path: PATH,
    },
  ],

  fillings: (values) => [
    {
      applies: all(isRequired(values), UNLESS_FOR_WINDOWS),
      over: 'containers',
      path: ['securityContext', 'readOnlyRootFilesystem'],
      when: `!${FIELD}.hasValue()`,
      value: 'true',
    },
  ],

  fixes: (required) =>
    required
      ? [
          {
            over: 'containers',
            path: ['securityContext', 'readOnlyRootFilesystem'],
            when: and(`!${FIELD}.orValue(false)`, UNLESS_FOR_WINDOWS),
            value: 'true',
            class: 'check',
            risk: 'the container can no longer write to the files of its image, such as in /tmp or /var/run: mount an emptyDir where the container writes',
          },
        ]
      : [],

  ofContainer: 'as-is',

  podSecurity: () => 'restricted',

  fit: () => firstOfValues('readOnlyRootFilesystem', true, false),
});
