/** A rule about one group ID, by PodSecurityPolicy's strategies. */
import { and, FOR_WINDOWS, literal } from './cel.ts';
import { firstOf, type GroupStrategy, inRanges, listedRanges, strategies, UNSET } from './id-ranges.ts';
import { defineRule, type Rule } from './rule.ts';

interface SingleGroup extends Pick<Rule, 'title' | 'words' | 'sources' | 'guides' | 'reads'> {
  readonly id: 'runAsGroup' | 'fsGroup';
  readonly over: 'pod' | 'containers';
  readonly ofContainer?: 'as-is';
  /** CEL, optional: the group ID. */
  readonly group: string;
  /** The beginning of the message about a wrong ID, and the message about none. */
  readonly wrong: string;
  readonly missing: string;
}

export function singleGroupRule({ id, over, group, wrong, missing, ...described }: SingleGroup): Rule {
  const path = `securityContext.${id}`;
  return defineRule<GroupStrategy, number>({
    id,
    ...described,

    value: (overrides) => overrides[id] ?? { rule: 'RunAsAny' },

    checks: ({ rule, ranges = [] }, _standard, filled) => {
      if (rule === 'RunAsAny') return [];
      const checked = `${group}.orValue(${rule === 'MustRunAs' && !filled ? UNSET : firstOf(ranges)})`;
      return [
        {
          over,
          // The API server refuses the field on pods for Windows.
          violates: and(`!(${inRanges(checked, ranges)})`, `!(${FOR_WINDOWS})`),
          message: `(${group}.hasValue() ? ${literal(wrong)} + string(int(${group}.orValue(${UNSET}))) : ${literal(missing)}) + ${literal(` (allowed: ${listedRanges(ranges)})`)}`,
          path,
        },
      ];
    },

    fills: ({ rule, ranges = [] }) =>
      rule === 'MustRunAs' && ranges.length > 0
        ? [
            {
              over,
              path: ['securityContext', id],
              when: and(`!${group}.hasValue()`, `!(${FOR_WINDOWS})`),
              value: `${firstOf(ranges)}`,
            },
          ]
        : [],

    fixes: ({ rule, ranges = [] }) =>
      rule === 'RunAsAny' || ranges.length === 0
        ? []
        : [
            {
              over,
              path: ['securityContext', id],
              when: and(
                `!(${inRanges(`${group}.orValue(${rule === 'MustRunAs' ? UNSET : firstOf(ranges)})`, ranges)})`,
                `!(${FOR_WINDOWS})`,
              ),
              value: `${firstOf(ranges)}`,
              class: 'check',
              risk: 'files that belong to another group may become unreadable, or unwritable',
            },
          ],
    unfixable: 'the policy allows no group',

    podSecurity: () => 'restricted',

    fit: () => ({
      asks: [{ over, for: `(${FOR_WINDOWS}) ? [] : [${group}.orValue(${UNSET})]` }],
      choices: (ids) => strategies(ids, 'MayRunAs').map((value) => ({ [id]: value })),
    }),
  });
}
