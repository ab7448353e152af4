/**
 * Tests random sets of overlapping policies (part c). The reference model determines whether a pod is admitted and
 * which fields are filled in. The model also determines the policy's name on the pod, and the warnings. The API server
 * and the operator have to agree with the model.
 */
import fc, { type Arbitrary } from 'fast-check';
import type { ControlPlane } from '../../../hack/controlplane/controlplane.ts';
import type { CompletePolicy } from '../../../operator/api/capability-policy.ts';
import type { Compiled } from '../../../operator/compile/compile.ts';
import { Evaluator } from '../../../operator/evaluate/violations.ts';
import type { Stage } from '../../../operator/policy/parts.ts';
import type { ResolvedPolicy } from '../../../operator/policy/resolve.ts';
import { shrunk } from '../../support/shrunk.ts';
import { concurrently, sum, type Tally } from '../policies/campaign.ts';
import type { PolicyCluster } from '../policies/cluster.ts';
import { podsFor } from '../policies/pods.ts';
import { ACCOUNTS, type PolicySet, randomSet } from './arbitrary.ts';
import type { AuditLog } from './audit.ts';
import { type Creation, evaluateCreation } from './creation.ts';
import { admitCreators, type Creator, populate, readUse, withdraw } from './people.ts';
import type { Trial } from './trial.ts';

interface SetsPlan {
  readonly sets: number;
  /** The number of pods for each set. */
  readonly pods: number;
  readonly seed: number;
  /** The API server's audit log, if the API server keeps one. */
  readonly audit?: AuditLog;
}

const BATCH = 20;
const ATTEMPTS = 4;

export async function evaluateSets(cluster: PolicyCluster, controlPlane: ControlPlane, plan: SetsPlan): Promise<Tally> {
  const creators = await admitCreators(cluster, controlPlane);
  const evaluator = new Evaluator();
  const tallies: Tally[] = [];
  for (let first = 0; first < plan.sets; first += BATCH) {
    const count = Math.min(BATCH, plan.sets - first);
    const sets = await Promise.all(
      Array.from({ length: count }, (_, i) => acceptedSet(cluster, plan.seed, first + i, randomSet)),
    );
    const enforced = await enforceSets(cluster, sets);
    const use = await readUse(cluster);
    await concurrently(sets, async (one) => {
      const policies = policiesOf(one, enforced);
      tallies.push(
        await evaluateSet({ cluster, evaluator, use, set: one.set, policies, audit: plan.audit }, creators, plan),
      );
    });
    await enforced.withdraw();
  }
  for (const { api } of creators) await api.close();
  return sum(tallies);
}

/** A set with the policies that the API server accepts. */
export interface AcceptedSet<Made extends PolicySet = PolicySet> {
  readonly set: Made;
  readonly objects: readonly CompletePolicy[];
}

/**
 * Returns the first random set with enough policies that the API server accepts. The set lacks the refused policies.
 * @param random makes a set with the given name
 * @param suffices whether the accepted policies are worth evaluating
 */
export async function acceptedSet<Made extends PolicySet>(
  cluster: PolicyCluster,
  seed: number,
  index: number,
  random: (set: string) => Arbitrary<Made>,
  suffices = (objects: readonly CompletePolicy[]) => objects.length >= 2,
): Promise<AcceptedSet<Made>> {
  for (let attempt = 0; ; attempt++) {
    const [set] = fc.sample(random(`set-${seed}-${index}`), { seed: seed + index * 101 + attempt, numRuns: 1 });
    if (!set) continue;
    const objects: CompletePolicy[] = [];
    for (const { name, spec } of set.policies) {
      const policy = await cluster.policy(name, spec);
      if (policy) objects.push(policy);
    }
    if (suffices(objects)) return { set, objects };
  }
}

/**
 * Creates the namespaces and grants of the sets, and puts their policies in force.
 * @returns the compiled policies, and a function that removes the policies and the grants
 */
export async function enforceSets(
  cluster: PolicyCluster,
  sets: readonly AcceptedSet[],
  stages?: ReadonlyMap<string, Stage>,
): ReturnType<PolicyCluster['enforce']> {
  await concurrently(sets, ({ set }) => populate(cluster, set));
  const enforced = await cluster.enforce(
    sets.flatMap(({ objects }) => objects),
    stages,
  );
  const withdrawAll = async () => {
    await enforced.withdraw();
    for (const { set } of sets) await withdraw(cluster, set);
  };
  return { ...enforced, withdraw: withdrawAll };
}

/** The compiled policies of a set. */
export function policiesOf({ objects }: Pick<AcceptedSet, 'objects'>, { policies }: Compiled): ResolvedPolicy[] {
  const names = objects.map(({ metadata }) => metadata?.name);
  return policies.filter(({ name }) => names.includes(name));
}

/** @param plan the number of pods, and the seed */
export async function evaluateSet(
  trial: Trial,
  creators: readonly Creator[],
  { pods: count, seed }: Pick<SetsPlan, 'pods' | 'seed'>,
): Promise<Tally> {
  const creations = randomCreations(trial.set, trial.policies, creators);
  const samples = fc.sample(creations, { seed, numRuns: count * ATTEMPTS });
  const tally = { policies: trial.policies.length, evaluated: 0, admitted: 0, invalid: 0, differences: [] as string[] };
  for (const [index, creation] of samples.entries()) {
    const { status, differences } = await evaluateCreation(trial, creation);
    if (status === 'admitted') tally.admitted++;
    if (status === 'invalid') tally.invalid++;
    else tally.evaluated++;
    if (differences.length > 0 && tally.differences.length === 0) {
      tally.differences.push(`seed ${seed}, ${await explain(trial, creations, { seed, index, differences })}`);
    }
    if (tally.evaluated === count) break;
  }
  return tally;
}

export function randomCreations(
  { namespaces }: PolicySet,
  policies: readonly ResolvedPolicy[],
  creators: readonly Creator[],
): Arbitrary<Creation> {
  return fc.record({
    pod: fc.constantFrom(...policies).chain(podsFor),
    namespace: fc.constantFrom(...namespaces),
    account: fc.constantFrom(...ACCOUNTS),
    creator: fc.constantFrom(...creators),
    forged: fc.constantFrom(undefined, undefined, 'somebody', ...policies.map(({ name }) => name)),
  });
}

/** Shrinks the creation of a pod as long as the smaller creation shows a difference. */
async function explain(
  trial: Trial,
  creations: Arbitrary<Creation>,
  { seed, index, differences }: { seed: number; index: number; differences: readonly string[] },
): Promise<string> {
  const agrees = async (one: Creation) => (await evaluateCreation(trial, one)).differences.length === 0;
  const creation = await shrunk(creations, { seed, index }, agrees);
  const again = await evaluateCreation(trial, creation);
  const { creator, ...rest } = creation;
  return [
    ...trial.set.policies.map(({ name, spec }) => `${name} ${JSON.stringify(spec)}`),
    ...trial.set.grants.map((grant) => `grant ${JSON.stringify(grant)}`),
    `${creator.name} creates ${JSON.stringify(rest)}`,
    ...(again.differences.length > 0 ? again.differences : ['(only once)', ...differences]),
  ].join('\n  ');
}
