/** Ranks violated rules: the more access to the node a rule prevents, the worse its violation. */
import { RULES } from './index.ts';
import { SEVERITIES } from './rule.ts';

const RANKS = new Map(RULES.map(({ id, severity }) => [id, SEVERITIES.indexOf(severity)]));

/**
 * The rank of a violated rule: 0 is the worst. IDs that are not rules about pods, such as the right to use a policy,
 * come last.
 */
export function severityRank(rule: string): number {
  return RANKS.get(rule) ?? SEVERITIES.length;
}
