/** The length of a program for API servers without variables, where a whole decision is one expression. */
import { perList } from '../policy/memo.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { modeProgram } from './mode-program.ts';
import { EXPRESSION_BUDGET } from './pod-cel.ts';
import { longestWithoutVariables } from './program-text.ts';

/** Room for the excluded namespaces, and for the names where a shard begins and ends. */
const ROOM = 6_000;

/**
 * Whether an API server without variables accepts the program of these policies. The length of its longest expression
 * depends on the rules, levels and columns of all policies together, so it cannot be added up from rows.
 * @param policies of one mode
 */
export const fitIntoExpression: (policies: readonly ResolvedPolicy[]) => boolean = perList((policies) => {
  const [first] = policies;
  if (!first) return true;
  const text = modeProgram(first.mode, { suffix: '', policies }, { operatorNamespace: '', excludedNamespaces: [] });
  return longestWithoutVariables(text) <= EXPRESSION_BUDGET - ROOM;
});
