/**
 * Tests random topologies of many policies that a running operator brings into force. The selectors of the policies
 * overlap. The selectors use names and labels, several keys, and all operators. The policies also differ in priority,
 * mode, expiry, users and rollout. The API server, the operator's own evaluation and the reference model have to agree
 * about each pod.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import fc, { type Arbitrary } from 'fast-check';
import type { ControlPlane } from '../../../hack/controlplane/controlplane.ts';
import type { CompletePolicy } from '../../../operator/api/capability-policy.ts';
import { Evaluator } from '../../../operator/evaluate/violations.ts';
import { randomPods } from '../../support/random-pods.ts';
import { shrunk } from '../../support/shrunk.ts';
import { concurrently, type Tally } from '../policies/campaign.ts';
import type { PolicyCluster } from '../policies/cluster.ts';
import { podsFor } from '../policies/pods.ts';
import { ACCOUNTS } from '../sets/arbitrary.ts';
import type { AuditLog } from '../sets/audit.ts';
import { admitCreators, type Creator, readUse } from '../sets/people.ts';
import { deciders, selects } from '../sets/reference-model.ts';
import { randomTopology, type Topology, type TopologySize, withoutCrowds } from './arbitrary.ts';
import {
  type Creation,
  evaluateCreation,
  FOLLOWS_MS,
  Model,
  OperatorPolicies,
  type Outcome,
  resolved,
  type Trial,
} from './creation.ts';
import { bringIntoForce, type InForce, nameOf, startOperator, takeAway } from './in-force.ts';

export interface TopologiesPlan extends TopologySize {
  readonly topologies: number;
  /** The number of pods in each topology. */
  readonly pods: number;
  readonly seed: number;
  readonly audit?: AuditLog;
  say?(line: string): void;
}

export interface TopologiesTally extends Tally {
  /** The number of pods whose verdict has changed because a policy has expired. */
  readonly ended: number;
  /** The number of pods in namespaces where no policy enforces anything. */
  readonly free: number;
  readonly unclear: number;
}

/** The number of pods to generate for each evaluated pod, because some pods are invalid. */
const SAMPLES = 2.5;
const SEED_STEP = 7_919;
/**
 * The expected time for one pod, in ms. The test spreads the expiries over the expected time for all pods.
 */
const POD_MS = 12;
const LEAST_SPAN_MS = 10_000;
const EXPLAINED = 3;
/**
 * The share of pods that are created after the first expiry, and the share of pods that are created after the last
 * expiry.
 */
const [AFTER_FIRST, AFTER_LAST] = [0.7, 0.3];

export async function evaluateTopologies(
  cluster: PolicyCluster,
  controlPlane: ControlPlane,
  plan: TopologiesPlan,
): Promise<TopologiesTally> {
  const creators = await admitCreators(cluster, controlPlane);
  const operator = await startOperator(controlPlane);
  const total = { policies: 0, evaluated: 0, admitted: 0, invalid: 0, unclear: 0, ended: 0, free: 0 };
  const differences: string[] = [];
  try {
    for (let index = 0; index < plan.topologies; index++) {
      const seed = plan.seed + index * SEED_STEP;
      const { differences: own, ...counts } = await evaluateTopology(cluster, creators, { ...plan, seed });
      for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += counts[key];
      differences.push(...own);
    }
  } catch (error) {
    throw new Error(`seed ${plan.seed}: ${(error as Error).message}\n${operator.logEnd(10)}`, { cause: error });
  } finally {
    await operator.stop();
    for (const { api } of creators) await api.close();
  }
  return { ...total, differences };
}

async function evaluateTopology(
  cluster: PolicyCluster,
  creators: readonly Creator[],
  plan: TopologiesPlan,
): Promise<TopologiesTally> {
  const { seed, pods, audit, say } = plan;
  const [topology] = fc.sample(randomTopology(`topology-${seed}`, plan), { seed, numRuns: 1, unbiased: true });
  if (!topology) throw new Error('no topology');
  const accepted = await acceptedPolicies(cluster, topology, plan);
  const inForce = await bringIntoForce(cluster, topology, accepted, Math.max(LEAST_SPAN_MS, pods * POD_MS));
  say?.(`seed ${seed}: ${accepted.length} policies programmed after ${inForce.seconds.toFixed(1)} s`);
  const model = new Model(inForce, topology.grants);
  const use = await readUse(cluster);
  const operator = new OperatorPolicies(inForce.policies);
  const trial = { cluster, evaluator: new Evaluator(), use, model, operator, audit };
  const tally = await evaluatePods(trial, creators, topology, { ...plan, ends: inForce.ends });
  await takeAway(cluster, topology);
  return { ...tally, policies: accepted.length };
}

async function acceptedPolicies(
  cluster: PolicyCluster,
  { policies, namespaces }: Topology,
  { meeting }: TopologySize,
): Promise<CompletePolicy[]> {
  const accepted: CompletePolicy[] = [];
  for (const { name, spec } of policies) {
    const policy = await cluster.policy(name, spec);
    if (policy) accepted.push(policy);
  }
  return withoutCrowds(accepted, { namespaces, meeting }, ({ spec }, labels) =>
    selects(spec.namespaceSelector, labels),
  );
}

async function evaluatePods(
  trial: Trial,
  creators: readonly Creator[],
  topology: Topology,
  { pods, seed, ends: [first, last] }: TopologiesPlan & Pick<InForce, 'ends'>,
): Promise<TopologiesTally> {
  const creations = randomCreations(trial.model, topology, creators);
  const samples = fc.sample(creations, { seed, numRuns: Math.ceil(pods * SAMPLES) });
  const outcomes: Outcome[] = [];
  const differing: { readonly index: number; readonly outcome: Outcome }[] = [];
  let evaluated = 0;
  await concurrently([...samples.entries()], async ([index, creation]) => {
    if (evaluated >= pods) return;
    if (evaluated >= pods * (1 - AFTER_FIRST)) await until(first);
    if (evaluated >= pods * (1 - AFTER_LAST)) await until(last + FOLLOWS_MS);
    const outcome = await evaluateCreation(trial, creation);
    outcomes.push(outcome);
    if (outcome.status === 'admitted' || outcome.status === 'refused') evaluated++;
    if (outcome.differences.length > 0) differing.push({ index, outcome });
  });
  const differences: string[] = [];
  for (const { index, outcome } of differing.slice(0, EXPLAINED)) {
    differences.push(await explain(trial, creations, { seed, index, outcome }));
  }
  const more = differing.length - differences.length;
  const count = (is: (outcome: Outcome) => boolean) => outcomes.filter(is).length;
  return {
    policies: trial.model.policies.length,
    evaluated,
    admitted: count(({ status }) => status === 'admitted'),
    invalid: count(({ status }) => status === 'invalid'),
    unclear: count(({ status }) => status === 'unclear'),
    ended: count(({ ended }) => ended),
    free: count(({ free, status }) => free && status !== 'invalid'),
    differences: more > 0 ? [...differences, `seed ${seed}: ${more} more pods differ`] : differences,
  };
}

async function until(time: number): Promise<void> {
  const left = time - Date.now();
  if (left > 0) await sleep(left);
}

/**
 * Generates creations of pods near the limits of policies, and creations of some other pods. Most of the pods are near
 * the limits of policies that decide in the namespace.
 */
function randomCreations(model: Model, { namespaces }: Topology, creators: readonly Creator[]): Arbitrary<Creation> {
  const now = Date.now();
  const near = new Map(
    namespaces.map(({ name }) => {
      const enforcing = deciders(model.scene(name, [], now), 'Enforce');
      // If only an overridden or expired policy admits a pod, the answer about the pod shows whether the policy is
      // still enforced.
      const selecting = model.policies.filter(({ selector }) => selects(selector, model.labelsOf(name)));
      return [name, [...enforcing, ...selecting]];
    }),
  );
  return fc.constantFrom(...namespaces).chain(({ name }) => {
    const policies = near.get(name) ?? [];
    const others = { weight: 1, arbitrary: randomPods() };
    const pod =
      policies.length === 0
        ? randomPods()
        : fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...policies).chain(podsFor) }, others);
    return fc.record({
      pod,
      namespace: fc.constant(name),
      account: fc.constantFrom(...ACCOUNTS),
      creator: fc.constantFrom(...creators),
      template: fc.constantFrom(false, false, false, true),
    });
  });
}

/**
 * Shrinks the creation of a pod as long as the smaller creation shows a difference. Prints only the policies that
 * select the namespace of the created pod.
 */
async function explain(
  trial: Trial,
  creations: Arbitrary<Creation>,
  { seed, index, outcome }: { seed: number; index: number; outcome: Outcome },
): Promise<string> {
  const agrees = async (one: Creation) => (await evaluateCreation(trial, one)).differences.length === 0;
  const creation = await shrunk(creations, { seed, index }, agrees);
  const again = await evaluateCreation(trial, creation);
  const { creator, ...rest } = creation;
  const { model, operator } = trial;
  const labels = model.labelsOf(creation.namespace);
  const objects = operator.objects.filter((one) => selects(resolved(one).selector, labels));
  return [
    `seed ${seed}`,
    ...objects.map((one) => `${nameOf(one)} ${JSON.stringify(one.spec)}`),
    `namespace ${creation.namespace} ${JSON.stringify(labels)}`,
    `${creator.name} creates ${JSON.stringify(rest)}`,
    ...(again.differences.length > 0 ? again.differences : ['(only once)', ...outcome.differences]),
  ].join('\n  ');
}
