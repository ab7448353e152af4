import { listed } from './cel.ts';
import { all, concat, not } from './condition.ts';
import { distinct, namesUsed } from './fit.ts';
import { defineRule } from './rule.ts';

interface RuntimeClasses {
  /** The names of the allowed runtime classes. If the field is undefined, any runtime class is allowed. */
  readonly allowed?: readonly string[];
  readonly default?: string;
}

/** Matches the names of runtime classes that the API accepts. */
const CLASS_NAME = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?([.][a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;
const NAME = 'variables.spec.?runtimeClassName';

export const runtimeClasses = defineRule<RuntimeClasses, string>({
  id: 'runtimeClasses',
  title: 'Which runtime classes pods may use, and which runtime class they get by default.',
  words:
    "The Pod Security Standards have no such rule. PodSecurityPolicy: a pod's runtimeClassName must be in the list, or unset.",
  sources: ['PodSecurityPolicy runtimeClass', 'KEP-585'],
  guides: { cis: [], nsa: [] },
  severity: 'NodeServices',
  phrases: {
    runtimeClasses: ({ allowed, default: named }: RuntimeClasses) =>
      ['runtime classes', allowed && listed(allowed), named].filter((text) => text !== undefined).join(' '),
  },
  reads: { spec: ['runtimeClassName'] },
  examples: [
    {
      overrides: { runtimeClasses: { allowed: ['gvisor'], default: 'gvisor' } },
      admits: [{}, { spec: { runtimeClassName: 'gvisor' } }],
      refuses: [{ spec: { runtimeClassName: 'kata' } }],
    },
    {
      overrides: { runtimeClasses: { allowed: [] } },
      admits: [{}],
      refuses: [{ spec: { runtimeClassName: 'gvisor' } }],
    },
  ],

  value: (overrides) => overrides.runtimeClasses ?? {},

  columns: ({ allowed, default: filling }) => ({
    runtimeClasses: allowed ?? ['*'],
    defaultRuntimeClass: filling === undefined ? [] : [filling],
  }),

  tests: (values, { filled }) => {
    const filling = values.first('defaultRuntimeClass');
    const unset = filled
      ? all(values.hasSome('defaultRuntimeClass'), not(`${filling} in ${values.list('runtimeClasses')}`))
      : false;
    return [
      {
        applies: not(values.includes('runtimeClasses', '*')),
        over: 'pod',
        violates: `${NAME}.hasValue() ? !(${NAME}.orValue("") in ${values.list('runtimeClasses')}) : ${unset}`,
        message: concat(
          `"must not set runtimeClassName to " + ${NAME}.orValue(${filling})`,
          '" (allowed: "',
          values.listed('runtimeClasses'),
          '")"',
        ),
        path: 'runtimeClassName',
      },
    ];
  },

  fillings: (values) => [
    {
      applies: values.hasSome('defaultRuntimeClass'),
      over: 'pod',
      path: ['runtimeClassName'],
      when: `!${NAME}.hasValue()`,
      value: values.first('defaultRuntimeClass'),
    },
  ],

  unfixable:
    'another runtime class may isolate the pod less, or lack what the pod needs; choose one of the allowed classes',

  podSecurity: () => 'restricted',

  fit: () => ({
    asks: [{ over: 'pod', for: `${NAME}.hasValue() ? [${NAME}.orValue("")] : []` }],
    choices: (names) => namesUsed('runtimeClasses.allowed', distinct(names), { valid: CLASS_NAME, most: 32 }),
  }),
});
