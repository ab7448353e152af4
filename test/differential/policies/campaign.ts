/** Brings many random policies into force, each in its own namespace, and creates random pods for each policy. */
import fc, { type Arbitrary } from 'fast-check';
import { SERVER_MINOR } from '../../../hack/controlplane/version.ts';
import type { CompletePolicy } from '../../../operator/api/capability-policy.ts';
import { type LevelVersion, tightest } from '../../../operator/compile/labels.ts';
import type { ResolvedPolicy } from '../../../operator/policy/resolve.ts';
import { offers } from '../../../operator/standards/server-features.ts';
import type { Pod } from '../../support/random-pods.ts';
import { shrunk } from '../../support/shrunk.ts';
import type { Rules } from './arbitrary.ts';
import type { PolicyCluster } from './cluster.ts';
import { podsFor } from './pods.ts';

export interface Plan {
  readonly policies: number;
  /** The number of pods for each policy. If most random pods are invalid, fewer pods are evaluated. */
  readonly pods: number;
  readonly seed: number;
}

export interface Tally {
  readonly policies: number;
  readonly evaluated: number;
  readonly admitted: number;
  readonly invalid: number;
  /**
   * The differences as text. For each policy, the list has at most one difference, with the smallest pod that shows the
   * difference.
   */
  readonly differences: readonly string[];
}

interface Campaign {
  /**
   * The name of the campaign. The name is part of other names. The campaign's policies select namespaces by the label
   * `differential-<name>`.
   */
  readonly name: string;
  readonly rules: Arbitrary<Rules>;
  evaluate(one: Case, pod: Pod): Promise<Verdict>;
}

export interface Case {
  readonly policy: ResolvedPolicy;
  readonly spec: CompletePolicy['spec'];
  /** The name of the policy's own namespace. */
  readonly namespace: string;
  /**
   * The Pod Security label of the policy. The label is undefined if every level refuses a pod that the policy admits.
   */
  readonly label: LevelVersion | undefined;
}

export interface Verdict {
  readonly status: 'admitted' | 'refused' | 'invalid';
  /** The differences as text, with one line for each engine that gives a different answer. */
  readonly differences: readonly string[];
}

/**
 * The number of policies that are in force at the same time. A low number keeps the API server quick. Without
 * variables, a program with several large policies has no room for details in its messages. The test needs the details
 * to compare the engines.
 */
const BATCH = offers(SERVER_MINOR, 'admissionVariables') ? 40 : 1;
const CONCURRENCY = 8;
/** The number of pods to generate for each valid pod that the test needs. */
const ATTEMPTS = 4;

export async function run(cluster: PolicyCluster, campaign: Campaign, plan: Plan): Promise<Tally> {
  const tallies: Tally[] = [];
  for (let first = 0; first < plan.policies; first += BATCH) {
    const objects = await randomPolicies(cluster, campaign, plan.seed + first, Math.min(BATCH, plan.policies - first));
    const { policies, withdraw } = await cluster.enforce(objects);
    const cases = policies.map((policy): Case => {
      const spec = objects.find(({ metadata }) => metadata?.name === policy.name)?.spec as CompletePolicy['spec'];
      return { policy, spec, namespace: policy.name, label: tightest([policy], SERVER_MINOR) };
    });
    await concurrently(cases, async (one) => {
      tallies.push(await evaluateCase(campaign, one, plan));
    });
    await withdraw();
  }
  return sum(tallies);
}

export async function concurrently<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}

/**
 * Creates random policies, and returns the policies that the API server accepts. Each policy has a separate, existing
 * namespace.
 */
async function randomPolicies(cluster: PolicyCluster, { name, rules }: Campaign, seed: number, count: number) {
  const label = `differential-${name}`;
  const samples = fc.sample(rules, { seed, numRuns: 3 * count });
  const accepted: CompletePolicy[] = [];
  for (const one of samples) {
    const unique = `${name}-${seed}-${accepted.length}`;
    const namespaceSelector = { matchLabels: { [label]: unique } };
    const policy = await cluster.policy(unique, { ...one, namespaceSelector, mode: 'Enforce' });
    if (policy) accepted.push(policy);
    if (accepted.length === count) break;
  }
  if (accepted.length < count) throw new Error(`only ${accepted.length} of ${samples.length} policies are accepted`);
  const names = accepted.map(({ metadata }) => metadata?.name ?? '');
  await Promise.all(names.map((unique) => cluster.namespace(unique, { [label]: unique })));
  return accepted;
}

async function evaluateCase(campaign: Campaign, one: Case, { pods: count, seed }: Plan): Promise<Tally> {
  const pods = podsFor(one.policy);
  const samples = fc.sample(pods, { seed, numRuns: count * ATTEMPTS });
  const tally = { policies: 1, evaluated: 0, admitted: 0, invalid: 0, differences: [] as string[] };
  for (const [index, pod] of samples.entries()) {
    const { status, differences } = await campaign.evaluate(one, pod);
    if (status === 'admitted') tally.admitted++;
    if (status === 'invalid') tally.invalid++;
    else tally.evaluated++;
    if (differences.length > 0 && tally.differences.length === 0) {
      tally.differences.push(`seed ${seed}, ${await explain(campaign, one, { seed, index, differences })}`);
    }
    if (tally.evaluated === count) break;
  }
  return tally;
}

/** Shrinks the pod while the smaller pod still shows a difference. */
async function explain(
  campaign: Campaign,
  one: Case,
  { seed, index, differences }: { seed: number; index: number; differences: readonly string[] },
): Promise<string> {
  const agrees = async ([pod]: [Pod]) => (await campaign.evaluate(one, pod)).differences.length === 0;
  const [pod] = await shrunk(fc.tuple(podsFor(one.policy)), { seed, index }, agrees);
  const again = await campaign.evaluate(one, pod);
  const lines = again.differences.length > 0 ? again.differences : ['(only once)', ...differences];
  return [`policy ${JSON.stringify(one.spec)}`, `pod ${JSON.stringify(pod)}`, ...lines].join('\n  ');
}

export function sum(tallies: readonly Tally[]): Tally {
  const total = (count: (tally: Tally) => number) => tallies.reduce((all, tally) => all + count(tally), 0);
  return {
    policies: total(({ policies }) => policies),
    evaluated: total(({ evaluated }) => evaluated),
    admitted: total(({ admitted }) => admitted),
    invalid: total(({ invalid }) => invalid),
    differences: tallies.flatMap(({ differences }) => differences),
  };
}
