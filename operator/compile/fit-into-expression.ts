/**
 * Checks the length of a program for API servers without variables. On an API server without variables, one expression
 * contains the whole decision.
 */
import { perList } from '../policy/memo.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { modeProgram } from './mode-program.ts';
import { EXPRESSION_BUDGET } from './pod-cel.ts';
import { longestWithoutVariables } from './program-text.ts';

/**
 * This number of characters is reserved for the excluded namespaces, and for the two namespace names that limit a
 * shard.
 */
const ROOM = 6_000;

/**
 * Whether an API server without variables accepts the program of the given policies. The length of the longest
 * expression depends on the rules, levels and columns of all policies together. The length is therefore not the sum of
 * the lengths of the rows.
 * @param policies the policies of one mode
 */
export const fitIntoExpression: (policies: readonly ResolvedPolicy[]) => boolean = perList((policies) => {
  const [first] = policies;
  if (!first) return true;
  const text = modeProgram(first.mode, { suffix: '', policies }, { operatorNamespace: '', excludedNamespaces: [] });
  return longestWithoutVariables(text) <= EXPRESSION_BUDGET - ROOM;
});
