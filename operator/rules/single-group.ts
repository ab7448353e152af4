/** Defines a rule about one group ID. The rule has the strategies of PodSecurityPolicy. */
import { and, FOR_WINDOWS, literal } from './cel.ts';
import { all, choose, concat, not } from './condition.ts';
import { firstOf, type GroupStrategy, groupColumns, groupExamples, inRanges, strategies, UNSET } from './id-ranges.ts';
import { defineRule, type Rule } from './rule.ts';

interface SingleGroup extends Pick<Rule, 'title' | 'words' | 'sources' | 'guides' | 'severity' | 'reads'> {
  readonly id: 'runAsGroup' | 'fsGroup';
  readonly over: 'pod' | 'containers';
  readonly ofContainer?: 'as-is';
  /** A CEL expression of type optional: the group ID. */
  readonly group: string;
  /** The beginnings of the messages about a wrong ID and about a missing ID. */
  readonly wrong: string;
  readonly missing: string;
}

export function singleGroupRule({ id, over, group, wrong, missing, ...described }: SingleGroup): Rule {
  const path = `securityContext.${id}`;
  const ranges = `${id}Ranges`;
  return defineRule<GroupStrategy, number>({
    id,
    ...described,
    examples: groupExamples(id, (group) => {
      const fields = { securityContext: { [id]: group } };
      return over === 'pod' ? { spec: fields } : { container: fields };
    }),

    value: (overrides) => overrides[id] ?? { rule: 'RunAsAny' },

    columns: ({ rule, ranges: stated = [] }) => groupColumns(id, rule, stated),

    tests: (values, { filled }) => {
      const first = values.firstOfRanges(ranges);
      const unset = filled ? first : choose(values.includes(id, 'MustRunAs'), `${UNSET}`, first);
      return [
        {
          // The API server refuses group IDs on pods for Windows.
          applies: all(not(values.includes(id, 'RunAsAny')), `!(${FOR_WINDOWS})`),
          over,
          violates: `!(${values.isInRanges(`${group}.orValue(${unset})`, ranges)})`,
          message: concat(
            `(${group}.hasValue() ? ${literal(wrong)} + string(int(${group}.orValue(${UNSET}))) : ${literal(missing)})`,
            '" (allowed: "',
            values.listed(ranges),
            '")"',
          ),
          path,
        },
      ];
    },

    fillings: (values) => [
      {
        applies: all(values.includes(id, 'MustRunAs'), values.hasSome(ranges), `!(${FOR_WINDOWS})`),
        over,
        path: ['securityContext', id],
        when: `!${group}.hasValue()`,
        value: values.firstOfRanges(ranges),
      },
    ],

    fixes: ({ rule, ranges: stated = [] }) =>
      rule === 'RunAsAny' || stated.length === 0
        ? []
        : [
            {
              over,
              path: ['securityContext', id],
              when: and(
                `!(${inRanges(`${group}.orValue(${rule === 'MustRunAs' ? UNSET : firstOf(stated)})`, stated)})`,
                `!(${FOR_WINDOWS})`,
              ),
              value: `${firstOf(stated)}`,
              class: 'check',
              risk: 'files that belong to another group may become unreadable or unwritable',
            },
          ],
    unfixable: 'the policy allows no group ID',

    podSecurity: () => 'restricted',

    fit: () => ({
      asks: [{ over, for: `(${FOR_WINDOWS}) ? [] : [${group}.orValue(${UNSET})]` }],
      choices: (ids) => strategies(ids, 'MayRunAs').map((value) => ({ [id]: value })),
    }),
  });
}
