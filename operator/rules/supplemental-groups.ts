import { and, FOR_WINDOWS } from './cel.ts';
import { all, any, concat, not } from './condition.ts';
import { firstOf, type GroupStrategy, groupColumns, groupExamples, inRanges, strategies, UNSET } from './id-ranges.ts';
import { defineRule } from './rule.ts';

const PATH = 'securityContext.supplementalGroups';
/**
 * A CEL expression of type list(int): the supplemental groups of the pod. An empty list counts as absent, because the
 * API server removes empty lists before any policy evaluates the pod.
 */
const GROUPS = 'variables.spec.?securityContext.?supplementalGroups.orValue([])';

export const supplementalGroups = defineRule<GroupStrategy, number>({
  id: 'supplementalGroups',
  title: 'Which supplementary group IDs a pod may give to its containers.',
  words:
    "The Pod Security Standards have no such rule. PodSecurityPolicy: each group ID in the pod's supplementalGroups must be in a range. With " +
    'MustRunAs, the pod must list at least one group ID.',
  sources: ['PodSecurityPolicy supplementalGroups'],
  guides: { cis: [], nsa: [] },
  severity: 'Identity',
  reads: { spec: ['securityContext', 'os'] },
  examples: groupExamples('supplementalGroups', (group) => ({
    spec: { securityContext: { supplementalGroups: [group] } },
  })),

  value: ({ supplementalGroups }) => {
    const { rule = 'RunAsAny', ranges } = supplementalGroups ?? {};
    return { rule, ...(ranges && { ranges }) };
  },

  columns: ({ rule, ranges = [] }) => groupColumns('supplementalGroups', rule, ranges),

  tests: (values, { filled }) => {
    const outside = `!(${values.isInRanges('g', 'supplementalGroupsRanges')})`;
    const missing = filled ? false : all(values.includes('supplementalGroups', 'MustRunAs'), `${GROUPS}.size() == 0`);
    return [
      {
        // The API server refuses supplementalGroups on pods for Windows.
        applies: all(not(values.includes('supplementalGroups', 'RunAsAny')), `!(${FOR_WINDOWS})`),
        over: 'pod',
        violates: `${any(missing, `${GROUPS}.exists(g, ${outside})`)}`,
        message: concat(
          `(${GROUPS}.size() == 0 ? "must set ${PATH}" : "must not have in ${PATH} " + ${GROUPS}.filter(g, ${outside}).map(g, string(int(g))).join(", "))`,
          '" (allowed: "',
          values.listed('supplementalGroupsRanges'),
          '")"',
        ),
        path: PATH,
      },
    ];
  },

  fillings: (values) => [
    {
      applies: all(
        values.includes('supplementalGroups', 'MustRunAs'),
        values.hasSome('supplementalGroupsRanges'),
        `!(${FOR_WINDOWS})`,
      ),
      over: 'pod',
      path: ['securityContext', 'supplementalGroups'],
      when: `${GROUPS}.size() == 0`,
      value: `[${values.firstOfRanges('supplementalGroupsRanges')}]`,
    },
  ],

  fixes: ({ rule, ranges = [] }) => {
    if (rule === 'RunAsAny') return [];
    const outside = `!(${inRanges('g', ranges)})`;
    const kept = `${GROUPS}.filter(g, !(${outside}))`;
    const isRequired = rule === 'MustRunAs' && ranges.length > 0;
    return [
      {
        over: 'pod',
        path: ['securityContext', 'supplementalGroups'],
        when: and(
          `${isRequired ? `${GROUPS}.size() == 0 || ` : ''}${GROUPS}.exists(g, ${outside})`,
          `!(${FOR_WINDOWS})`,
        ),
        value: isRequired ? `${kept}.size() == 0 ? [${firstOf(ranges)}] : ${kept}` : kept,
        class: 'check',
        risk: 'the containers can no longer use files that belong to a group which the policy does not allow',
      },
    ];
  },
  unfixable: 'the policy allows no group ID',

  podSecurity: () => 'restricted',

  fit: () => ({
    asks: [{ over: 'pod', for: `(${FOR_WINDOWS}) ? [] : ${GROUPS}.size() == 0 ? [${UNSET}] : ${GROUPS}` }],
    choices: (ids) => strategies(ids, 'MayRunAs').map((value) => ({ supplementalGroups: value })),
  }),
});
