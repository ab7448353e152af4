import { and, FOR_WINDOWS } from './cel.ts';
import { firstOfValues } from './fit.ts';
import { defineRule } from './rule.ts';

const PATH = 'securityContext.readOnlyRootFilesystem';
const FIELD = 'c.?securityContext.?readOnlyRootFilesystem';
// The API server refuses the field on pods for Windows.
const UNLESS_FOR_WINDOWS = `!(${FOR_WINDOWS})`;

export const readOnlyRootFilesystem = defineRule<boolean>({
  id: 'readOnlyRootFilesystem',
  title: "Whether containers must leave their image's files as they are.",
  words: 'No Standard has this. PodSecurityPolicy: containers must run with a read-only root filesystem.',
  sources: ['PodSecurityPolicy readOnlyRootFilesystem'],
  guides: { cis: [], nsa: ['ImmutableFileSystem'] },
  reads: { spec: ['os'], container: ['securityContext'] },

  value: (overrides) => overrides.readOnlyRootFilesystem ?? false,

  checks: (required, _standard, filled) =>
    required
      ? [
          {
            over: 'containers',
            violates: and(`!${FIELD}.orValue(${filled ? 'true' : 'false'})`, UNLESS_FOR_WINDOWS),
            message: `"must set ${PATH}=true"`,
            path: PATH,
          },
        ]
      : [],

  fills: (required) =>
    required
      ? [
          {
            over: 'containers',
            path: ['securityContext', 'readOnlyRootFilesystem'],
            when: and(`!${FIELD}.hasValue()`, UNLESS_FOR_WINDOWS),
            value: 'true',
          },
        ]
      : [],

  fixes: (required) =>
    required
      ? [
          {
            over: 'containers',
            path: ['securityContext', 'readOnlyRootFilesystem'],
            when: and(`!${FIELD}.orValue(false)`, UNLESS_FOR_WINDOWS),
            value: 'true',
            class: 'check',
            risk: "writes to the image's own files fail, such as to /tmp or /var/run: mount an emptyDir where the container writes",
          },
        ]
      : [],

  ofContainer: 'as-is',

  podSecurity: () => 'restricted',

  fit: () => firstOfValues('readOnlyRootFilesystem', true, false),
});
