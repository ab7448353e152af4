/** Match conditions that skip pods which plainly comply: docs/decisions/0007. */
import { or } from '../rules/cel.ts';
import { withVariables } from './bound-variables.ts';
import { ALWAYS, type CandidatePolicy, decidesEverywhere } from './decision-cel.ts';
import { IS_PROBE } from './match.ts';
import { compliesCel, costOf, EXPRESSION_BUDGET, POD_VARIABLES } from './pod-cel.ts';

/**
 * Half of what an API server grants each match condition, and all of them together
 * (k8s.io/apiserver/pkg/apis/cel/config.go PerCallLimit, RuntimeCELCostBudgetMatchConditions): a request that exceeds
 * the limit is refused, and the cost is only an estimate.
 */
const MATCH_COST = 500_000;
const MATCH_COST_TOGETHER = 1_250_000;
/** The estimate for conditions that iterate over lists in containers and volumes. */
const ITEMS = 16;

/**
 * Skips pods that comply with this policy or a peer. An API server converts the pod once for match conditions, and
 * three times more for the steps that follow (plugin/cel/activation.go), which is most of the cost of an admission
 * policy. A match condition cannot cover policies that decide in only some of the namespaces: it does not see the
 * namespace.
 */
export function matchConditions(candidates: readonly CandidatePolicy[], skipped: readonly string[]) {
  const matchConditions = plainGroups(candidates).map((complies, i) => ({
    name: `does-not-plainly-comply-${i}`,
    expression: `(${IS_PROBE}) || !(${or(...skipped, withVariables(POD_VARIABLES, or(...complies)))})`,
  }));
  const fit = matchConditions.filter(({ expression }) => expression.length <= EXPRESSION_BUDGET);
  return fit.length === 0 ? {} : { matchConditions: fit };
}

/**
 * CEL, bools: a pod that complies with one of them is admitted. Each group costs at most what a match condition may.
 */
function plainGroups(candidates: readonly CandidatePolicy[]): string[][] {
  const groups: string[][] = [];
  let [group, together] = [Number.POSITIVE_INFINITY, 0];
  for (const candidate of candidates) {
    const { policy, current } = candidate;
    const cost = costOf(policy.checks, ITEMS);
    if (!decidesEverywhere(candidate) || policy.usableBy !== 'Everyone' || cost > MATCH_COST) continue;
    together += cost;
    if (together > MATCH_COST_TOGETHER) break;
    if (group + cost > MATCH_COST) {
      groups.push([]);
      group = 0;
    }
    group += cost;
    const complies = compliesCel(policy.checks);
    groups.at(-1)?.push(current === ALWAYS ? complies : `${current} && ${complies}`);
  }
  return groups;
}
