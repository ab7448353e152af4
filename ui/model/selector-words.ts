/**
 * Describes the selector of namespaces in words, such as `team=network, stage in (test, production), without legacy`.
 */
import type { LabelSelector } from '../../operator/api/capability-policy.ts';

type Expression = NonNullable<LabelSelector['matchExpressions']>[number];

const WORDS: Readonly<Record<Expression['operator'], (key: string, values: string) => string>> = {
  In: (key, values) => `${key} in (${values})`,
  NotIn: (key, values) => `${key} not in (${values})`,
  Exists: (key) => `with ${key}`,
  DoesNotExist: (key) => `without ${key}`,
};

/** The requirements of the selector. A namespace must match all requirements. An empty list selects all namespaces. */
export function selectorWords({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string[] {
  return [
    ...Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`),
    ...matchExpressions.map(({ key, operator, values = [] }) => WORDS[operator](key, values.join(', '))),
  ];
}
