import { and, effective, FOR_WINDOWS, literal } from './cel.ts';
import { firstOf, type GroupStrategy, inRanges, listedRanges, strategies, UNSET } from './id-ranges.ts';
import { defineRule } from './rule.ts';

const PATH = 'securityContext.runAsGroup';
const GROUP = effective('runAsGroup');

export const runAsGroup = defineRule<GroupStrategy, number>({
  id: 'runAsGroup',
  title: 'Which primary group IDs containers may run as.',
  words:
    "No Standard has this. PodSecurityPolicy: the group that a container gets, its own or else the pod's, must be in a range " +
    '(MayRunAs), and be set (MustRunAs).',
  sources: ['PodSecurityPolicy runAsGroup'],
  reads: { spec: ['securityContext', 'os'], container: ['securityContext'] },

  value: (overrides) => overrides.runAsGroup ?? { rule: 'RunAsAny' },

  checks: ({ rule, ranges = [] }, _standard, filled) => {
    if (rule === 'RunAsAny') return [];
    const id = `${GROUP}.orValue(${rule === 'MustRunAs' && !filled ? UNSET : firstOf(ranges)})`;
    return [
      {
        over: 'containers',
        // The API server refuses the field on pods for Windows.
        violates: and(`!(${inRanges(id, ranges)})`, `!(${FOR_WINDOWS})`),
        message: `(${GROUP}.hasValue() ? "must not run as group " + string(int(${GROUP}.orValue(${UNSET}))) : "must set ${PATH} on it or on the pod") + ${literal(` (allowed: ${listedRanges(ranges)})`)}`,
        path: PATH,
      },
    ];
  },

  fills: ({ rule, ranges = [] }) =>
    rule === 'MustRunAs' && ranges.length > 0
      ? [
          {
            over: 'containers',
            path: ['securityContext', 'runAsGroup'],
            when: and(`!${GROUP}.hasValue()`, `!(${FOR_WINDOWS})`),
            value: `${firstOf(ranges)}`,
          },
        ]
      : [],

  ofContainer: 'as-is',

  podSecurity: () => 'restricted',

  fit: () => ({
    asks: [{ over: 'containers', for: `(${FOR_WINDOWS}) ? [] : [${GROUP}.orValue(${UNSET})]` }],
    choices: (ids) => strategies(ids, 'MayRunAs').map((value) => ({ runAsGroup: value })),
  }),
});
