/**
 * Tests the verdicts of the page's playground. The playground reads policies and pods as text. Random policies and pods
 * are written as random YAML. The verdicts are compared with the API server's answers.
 */
import { SERVER_MINOR } from '../../../hack/controlplane/version.ts';
import { check } from '../../../ui/worker/check.ts';
import { policyManifest } from '../../support/policies.ts';
import { Random } from '../../support/random.ts';
import type { Pod } from '../../support/random-pods.ts';
import { randomStream } from '../../support/random-yaml.ts';
import { randomRules } from './arbitrary.ts';
import { type Case, type Plan, run, type Tally, type Verdict } from './campaign.ts';
import type { PolicyCluster } from './cluster.ts';

const NAME = 'playground';

export function evaluateInPlayground(cluster: PolicyCluster, plan: Plan): Promise<Tally> {
  const random = new Random(plan.seed);
  const evaluate = (one: Case, pod: Pod) => evaluatePod(cluster, random, one, pod);
  return run(cluster, { name: NAME, rules: randomRules(), evaluate }, plan);
}

async function evaluatePod(
  cluster: PolicyCluster,
  random: Random,
  { policy, spec, namespace }: Case,
  drawn: Pod,
): Promise<Verdict> {
  // Converting to JSON and back removes the fields that are undefined.
  const pod = JSON.parse(JSON.stringify(drawn)) as Pod;
  const open = await cluster.defaulted(pod);
  if (open.status === 422) return { status: 'invalid', differences: [] };
  const { status, text } = await cluster.create(pod, namespace);
  const { items, troubles } = check({
    policies: randomStream([policyManifest({ name: policy.name }, spec)], random),
    manifests: randomStream([pod], random),
    namespace,
    namespaceLabels: { [`differential-${NAME}`]: namespace },
    serverVersion: SERVER_MINOR,
    at: Date.now(),
  });
  const verdicts = items.map(({ verdict }) => verdict);
  const expected = status === 200 ? 'Compliant' : 'Violating';
  const differences =
    `${verdicts}` === expected
      ? []
      : [`API server: ${status} ${text}`, `playground: ${verdicts} ${JSON.stringify([items, troubles])}`];
  return { status: status === 200 ? 'admitted' : 'refused', differences };
}
