/** Random selectors and labels over a small universe. The universe is so small that tests can try all labels. */
import fc, { type Arbitrary } from 'fast-check';
import type { LabelSelector } from '../../operator/api/capability-policy.ts';

const KEYS = ['team', 'example.com/tier'];
const VALUES = ['net', 'db', ''];
/** A label value that no selector names. The value `other` represents all label values that no selector names. */
const UNNAMED = 'other';

/** All combinations of labels that the random selectors can distinguish. */
export const UNIVERSE: readonly Readonly<Record<string, string>>[] = KEYS.reduce<Record<string, string>[]>(
  (all, key) =>
    all.flatMap((labels) => [labels, ...[...VALUES, UNNAMED].map((value) => ({ ...labels, [key]: value }))]),
  [{}],
);

const key = fc.constantFrom(...KEYS);
const values = fc.uniqueArray(fc.constantFrom(...VALUES), { minLength: 1 });

const expression = fc.oneof(
  fc.record({ key, operator: fc.constantFrom('In' as const, 'NotIn' as const), values }),
  fc.record({ key, operator: fc.constantFrom('Exists' as const, 'DoesNotExist' as const) }),
);

export const SELECTOR: Arbitrary<NonNullable<LabelSelector>> = fc.record(
  {
    matchLabels: fc.dictionary(key, fc.constantFrom(...VALUES)),
    matchExpressions: fc.array(expression, { maxLength: 3 }),
  },
  { requiredKeys: [] },
);

/**
 * A selector for namespaces with the label `shard`. The selector nearly has the maximum length of an expression. Two of
 * these selectors do not overlap if their indexes differ.
 */
export function longSelector(index: number): LabelSelector {
  const values = (key: number) => Array.from({ length: 100 }, (_, i) => `${index}-${key}-${i}-`.padEnd(61, 'x'));
  return {
    matchLabels: { shard: `shard-${index}` },
    matchExpressions: Array.from({ length: 14 }, (_, key) => ({
      key: `example.com/key-${key}`,
      operator: 'NotIn' as const,
      values: values(key),
    })),
  };
}
