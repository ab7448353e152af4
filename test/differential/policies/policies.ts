/**
 * Tests random policies over all fields with pods near the limits of each policy (part b). Three engines have to agree
 * about each pod, rule by rule. The engines are the admission policy on a real API server, the operator, and a
 * reference model of the rules. The label must refuse nothing that the policy admits.
 */
import { Evaluator, type Violation } from '../../../operator/evaluate/violations.ts';
import type { Pod } from '../../support/random-pods.ts';
import { broken } from '../reference/reference-model.ts';
import { randomRules } from './arbitrary.ts';
import { type Case, type Plan, run, type Tally, type Verdict } from './campaign.ts';
import { type PolicyCluster, projection } from './cluster.ts';
import { gives, reasonsOf, textOf } from './text.ts';

export function evaluatePolicies(cluster: PolicyCluster, plan: Plan): Promise<Tally> {
  const evaluator = new Evaluator();
  const evaluate = (one: Case, pod: Pod) => evaluatePod(cluster, evaluator, one, pod);
  return run(cluster, { name: 'policies', rules: randomRules(), evaluate }, plan);
}

async function evaluatePod(cluster: PolicyCluster, evaluator: Evaluator, one: Case, pod: Pod): Promise<Verdict> {
  const open = await cluster.defaulted(pod);
  if (open.status === 422) return { status: 'invalid', differences: [] };
  const { policy, namespace, label } = one;
  const { status, text } = await cluster.create(pod, namespace);
  const violations = evaluator.violations(projection.content(open.pod), policy);
  const [byOperator, byModel] = [rulesIn(violations), broken(policy, open.pod)];
  const labelled = status === 200 && label ? await cluster.create(pod, await cluster.labelled(label)) : undefined;
  const differences = [
    ...((violations.length === 0) === (status === 200) ? [] : [`API server: ${status} ${text}`]),
    ...(status === 200 || gives(text, reasonsOf(policy.name, violations)) ? [] : [`API server: ${text}`]),
    ...(`${byOperator}` === `${byModel}` ? [] : [`reference model: ${byModel}`]),
    ...(labelled === undefined || labelled.status === 200 ? [] : [`label ${label?.level}: ${labelled.text}`]),
  ];
  const verdict = status === 200 ? 'admitted' : 'refused';
  if (differences.length === 0) return { status: verdict, differences };
  return { status: verdict, differences: [`operator: ${textOf(reasonsOf(policy.name, violations))}`, ...differences] };
}

/** Returns the names of the violated rules, in the form of the reference model. */
function rulesIn(violations: readonly Violation[]): string[] {
  return [...new Set(violations.map(({ rule, container }) => (container ? `${rule}@${container}` : rule)))].sort();
}
