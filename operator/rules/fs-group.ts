import { and, FOR_WINDOWS, literal } from './cel.ts';
import { firstOf, type GroupStrategy, inRanges, listedRanges, strategies, UNSET } from './id-ranges.ts';
import { defineRule } from './rule.ts';

const PATH = 'securityContext.fsGroup';
const GROUP = 'variables.spec.?securityContext.?fsGroup';

export const fsGroup = defineRule<GroupStrategy, number>({
  id: 'fsGroup',
  title: "Which group ID a pod's volumes may belong to.",
  words:
    "No Standard has this. PodSecurityPolicy: the pod's fsGroup must be in a range (MayRunAs), and be set (MustRunAs).",
  sources: ['PodSecurityPolicy fsGroup'],
  reads: { spec: ['securityContext', 'os'] },

  value: (overrides) => overrides.fsGroup ?? { rule: 'RunAsAny' },

  checks: ({ rule, ranges = [] }, _standard, filled) => {
    if (rule === 'RunAsAny') return [];
    const id = `${GROUP}.orValue(${rule === 'MustRunAs' && !filled ? UNSET : firstOf(ranges)})`;
    return [
      {
        over: 'pod',
        // The API server refuses the field on pods for Windows.
        violates: and(`!(${inRanges(id, ranges)})`, `!(${FOR_WINDOWS})`),
        message: `(${GROUP}.hasValue() ? "must not set ${PATH}=" + string(int(${GROUP}.orValue(${UNSET}))) : "must set ${PATH}") + ${literal(` (allowed: ${listedRanges(ranges)})`)}`,
        path: PATH,
      },
    ];
  },

  fills: ({ rule, ranges = [] }) =>
    rule === 'MustRunAs' && ranges.length > 0
      ? [
          {
            over: 'pod',
            path: ['securityContext', 'fsGroup'],
            when: and(`!${GROUP}.hasValue()`, `!(${FOR_WINDOWS})`),
            value: `${firstOf(ranges)}`,
          },
        ]
      : [],

  podSecurity: () => 'restricted',

  fit: () => ({
    asks: [{ over: 'pod', for: `(${FOR_WINDOWS}) ? [] : [${GROUP}.orValue(${UNSET})]` }],
    choices: (ids) => strategies(ids, 'MayRunAs').map((value) => ({ fsGroup: value })),
  }),
});
