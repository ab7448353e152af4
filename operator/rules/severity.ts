/** Ranks violated rules. A violated rule ranks as worse if breaking the rule gives a pod more access to the node. */
import { RULES } from './index.ts';
import { SEVERITIES } from './rule.ts';

const RANKS = new Map(RULES.map(({ id, severity }) => [id, SEVERITIES.indexOf(severity)]));

/**
 * The rank of a violated rule. The rank 0 is the worst. Violations that are not about a rule, such as a missing right
 * to use a policy, come last.
 */
export function severityRank(rule: string): number {
  return RANKS.get(rule) ?? SEVERITIES.length;
}
