/**
 * The limits of an API server for a single policy. The number of policies is not limited, because a large table is
 * split.
 */
import { perObject } from '../policy/memo.ts';
import type { Refusal, ResolvedPolicy } from '../policy/resolve.ts';
import { selectorCel } from '../policy/selector.ts';
import { EXPRESSION_BUDGET } from './pod-cel.ts';
import { entriesOf, rowOf } from './rows.ts';

/**
 * An expression that contains a row or a selector also contains other text. This number of characters is reserved for
 * the other text.
 */
const AROUND = 1_000;

/**
 * Refuses a policy if its row, its entries of `spec.containers` or its selector is too long for an expression. For all
 * other policies, the result is undefined.
 */
export const tooLong: (policy: ResolvedPolicy) => Refusal | undefined = perObject((policy) => {
  const texts = [JSON.stringify(rowOf(policy)), JSON.stringify(entriesOf(policy)), selectorCel(policy.selector, 'l')];
  const length = Math.max(...texts.map((text) => JSON.stringify(text).length));
  if (length <= EXPRESSION_BUDGET - AROUND) return undefined;
  const message = `the lists in spec are too long: one of their expressions has ${length} characters, and the API server accepts at most ${EXPRESSION_BUDGET}. Shorten spec.overrides or spec.namespaceSelector, or split the policy into several policies`;
  return { reason: 'TooExpensive', message };
});
