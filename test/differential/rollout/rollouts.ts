/**
 * Tests random sets of overlapping policies with rollouts. The namespaces are pending, enforced, or not labelled yet.
 * The reference model does not split a policy into parts. The API server and the operator use the two parts of each
 * policy. The API server and the operator must agree with the model about each pod and each template. If the policies
 * of a mode admit a pod in the namespace, the Pod Security label of this mode must not refuse the pod. The operator and
 * the model must give the same verdict about a promotion.
 */
import type { ControlPlane } from '../../../hack/controlplane/controlplane.ts';
import { SERVER_MINOR } from '../../../hack/controlplane/version.ts';
import type { CompletePolicy } from '../../../operator/api/capability-policy.ts';
import type { Compiled } from '../../../operator/compile/compile.ts';
import { Evaluator } from '../../../operator/evaluate/violations.ts';
import { type ResolvedPolicy, resolvePolicy } from '../../../operator/policy/resolve.ts';
import { concurrently, sum, type Tally } from '../policies/campaign.ts';
import type { PolicyCluster } from '../policies/cluster.ts';
import type { AuditLog } from '../sets/audit.ts';
import { admitCreators, readUse } from '../sets/people.ts';
import { type AcceptedSet, acceptedSet, enforceSets, evaluateSet, policiesOf } from '../sets/sets.ts';
import type { Compared, Trial } from '../sets/trial.ts';
import { type RollingSet, rollingSet } from './arbitrary.ts';
import type { RolloutFacts } from './reference-model.ts';

interface RolloutsPlan {
  /** The minimum number of policies with a rollout. */
  readonly policies: number;
  /** The number of pods for each policy. */
  readonly pods: number;
  readonly seed: number;
  /** The API server's audit log, if the API server keeps one. */
  readonly audit?: AuditLog;
}

export interface RolloutTally extends Tally {
  /**
   * The number of comparisons of each kind. The first kind compares the Pod Security label of a mode with the pods that
   * the policies of this mode admit. The second kind is about promotions.
   */
  readonly compared: Readonly<Record<Compared, number>>;
}

type Accepted = AcceptedSet<RollingSet>;

const BATCH = 20;

/** @returns a tally that counts only the policies with a rollout */
export async function evaluateRollouts(
  cluster: PolicyCluster,
  controlPlane: ControlPlane,
  plan: RolloutsPlan,
): Promise<RolloutTally> {
  const creators = await admitCreators(cluster, controlPlane);
  const evaluator = new Evaluator();
  const tallies: Tally[] = [];
  const compared = { label: 0, promotion: 0 };
  const count = (one: Compared) => compared[one]++;
  let [policies, index] = [0, 0];
  while (policies < plan.policies) {
    const sets: Accepted[] = [];
    while (sets.length < BATCH && policies < plan.policies) {
      const one = await acceptedSet(cluster, plan.seed, index++, named, suffices);
      sets.push(one);
      policies += rolledOut(one).length;
    }
    const stages = new Map(sets.flatMap(({ set }) => [...set.stages]));
    const enforced = await enforceSets(cluster, sets, stages);
    const use = await readUse(cluster);
    await concurrently(sets, async (one) => {
      const trial = { cluster, evaluator, use, audit: plan.audit, count, ...trialOf(one, enforced) };
      const own = rolledOut(one).length;
      const tally = await evaluateSet(trial, creators, { pods: plan.pods * own, seed: plan.seed });
      tallies.push({ ...tally, policies: own });
    });
    await enforced.withdraw();
  }
  for (const { api } of creators) await api.close();
  return { ...sum(tallies), compared };
}

function trialOf({ set, objects }: Accepted, compiled: Compiled): Pick<Trial, 'set' | 'policies' | 'whole'> {
  const rollouts = rolledOut({ objects }).map(({ metadata, spec }): [string, RolloutFacts] => {
    const name = metadata?.name ?? '';
    const { meanwhile = 'Warn' } = spec.rollout ?? {};
    return [name, { meanwhile, begun: set.stages.get(name)?.begun ?? true }];
  });
  return {
    set,
    policies: policiesOf({ objects }, compiled),
    whole: { policies: objects.map((object) => asWhole(object, set)), rollouts: new Map(rollouts) },
  };
}

/**
 * The whole policy, not split into parts. The returned policy always has the new rules. Until the newly selected
 * namespaces are labelled, the returned policy has the old selector.
 */
function asWhole(object: CompletePolicy, { stages }: RollingSet): ResolvedPolicy {
  const { name = '' } = object.metadata ?? {};
  const old = object.spec.rollout && stages.get(name)?.selector;
  const spec = { ...object.spec, ...(old && { namespaceSelector: old }) };
  const resolution = resolvePolicy({ ...object, spec }, SERVER_MINOR);
  if ('refusal' in resolution) throw new Error(`${name}: ${resolution.refusal.message}`);
  return resolution.policy;
}

function rolledOut({ objects }: Pick<Accepted, 'objects'>): CompletePolicy[] {
  return objects.filter(({ spec }) => spec.rollout);
}

/**
 * Random sets with a name that no other test uses. Other tests on the same control plane generate sets from the same
 * seed.
 */
function named(set: string) {
  return rollingSet(`${set}-rolled-out`);
}

function suffices(objects: readonly CompletePolicy[]): boolean {
  return objects.length >= 2 && rolledOut({ objects }).length > 0;
}
