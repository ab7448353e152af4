/**
 * Tests ephemeral containers that are added to pods under policies with defaulting. Only the added containers are
 * evaluated and filled.
 */
import { isDeepStrictEqual } from 'node:util';
import { Evaluator } from '../../../operator/evaluate/violations.ts';
import type { ResolvedPolicy } from '../../../operator/policy/resolve.ts';
import { podManifest } from '../../support/pod-manifests.ts';
import type { Pod } from '../../support/random-pods.ts';
import { fillingRules } from '../policies/arbitrary.ts';
import { type Case, type Plan, run, type Tally, type Verdict } from '../policies/campaign.ts';
import { OPEN, type PolicyCluster, projection } from '../policies/cluster.ts';
import { admittedPods } from '../policies/pods.ts';
import { gives, reasonsOf } from '../policies/text.ts';
import type { StatedContainer, StatedPod } from '../reference/pod.ts';
import { broken } from '../reference/reference-model.ts';
import { filledAddition } from './reference-model.ts';

/** The expected result for the added container. */
interface Fate {
  readonly admitted: boolean;
  readonly container: StatedContainer | undefined;
}

const ADDED = 'debug';
const NOTHING: Verdict = { status: 'invalid', differences: [] };
const evaluator = new Evaluator();

export function evaluateAdditions(cluster: PolicyCluster, plan: Plan): Promise<Tally> {
  const hosts = new Map<string, Promise<boolean>>();
  const evaluate = async (one: Case, pod: Pod) => {
    const { name } = one.policy;
    const host = hosts.get(name) ?? createHost(cluster, one);
    hosts.set(name, host);
    return (await host) ? evaluateAddition(cluster, one, pod.spec.containers[0]?.securityContext) : NOTHING;
  };
  return run(cluster, { name: 'additions', rules: fillingRules(), evaluate }, plan);
}

/**
 * Creates a pod that the policy admits, and an equal pod in a namespace without policies.
 * @returns whether the API server accepted the pod
 */
async function createHost(cluster: PolicyCluster, { policy, namespace }: Case): Promise<boolean> {
  for (const { spec } of admittedPods(policy)) {
    const pod = podManifest({ name: policy.name }, spec);
    const { status, body } = await cluster.api.ask('POST', `/api/v1/namespaces/${namespace}/pods`, { body: pod });
    if (status === 201) {
      await cluster.api.create(`/api/v1/namespaces/${OPEN}/pods`, { ...pod, spec: body.spec });
      return true;
    }
  }
  return false;
}

async function evaluateAddition(cluster: PolicyCluster, one: Case, securityContext: unknown): Promise<Verdict> {
  const { policy, namespace } = one;
  const container = { name: ADDED, image: ADDED, ...(securityContext !== undefined && { securityContext }) };
  const open = await cluster.addEphemeral(policy.name, container, OPEN);
  if (open.status === 422) return NOTHING;
  const expected = fate(policy, open.pod);
  const answer = await cluster.addEphemeral(policy.name, container, namespace);
  const violations = evaluator
    .violations(projection.content(open.pod), policy, true)
    .filter((violation) => violation.container === ADDED);
  const status = answer.status === 200 ? 'admitted' : 'refused';
  const made = status === 'admitted' ? addedTo(answer.pod) : undefined;
  const differences = [
    ...((status === 'admitted') === expected.admitted ? [] : [`API server: ${answer.status} ${answer.text}`]),
    ...(status === 'admitted' || gives(answer.text, reasonsOf(policy.name, violations)) ? [] : [answer.text]),
    ...(status === 'refused' || isDeepStrictEqual(made, expected.container) ? [] : [`made ${JSON.stringify(made)}`]),
  ];
  if (differences.length === 0) return { status, differences };
  return {
    status,
    differences: [`added ${JSON.stringify(container)}, expected ${JSON.stringify(expected)}`, ...differences],
  };
}

function fate(policy: ResolvedPolicy, pod: StatedPod): Fate {
  const container = addedTo(pod);
  if (!container) throw new Error('the container has not been added');
  const after = filledAddition(policy, pod, container);
  const breaks = (one: StatedContainer) =>
    broken(policy, { ...pod, spec: { ...pod.spec, ephemeralContainers: [one] } }).some((rule) =>
      rule.endsWith(`@${ADDED}`),
    );
  const fills = !breaks(after) && (breaks(container) || !isDeepStrictEqual(after, container));
  return { admitted: fills || !breaks(container), container: fills ? after : container };
}

function addedTo({ spec }: StatedPod): StatedContainer | undefined {
  return spec.ephemeralContainers?.find(({ name }) => name === ADDED);
}
