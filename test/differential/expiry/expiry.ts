/**
 * Creates pods while some policies of random, overlapping sets expire. The API server and the operator's evaluator have
 * to agree with the reference model at the time of each creation. No operator process is running.
 */
import fc, { type Arbitrary } from 'fast-check';
import type { ControlPlane } from '../../../hack/controlplane/controlplane.ts';
import { SERVER_MINOR } from '../../../hack/controlplane/version.ts';
import type { CompletePolicy } from '../../../operator/api/capability-policy.ts';
import { compile } from '../../../operator/compile/compile.ts';
import { serviceAccountUser } from '../../../operator/evaluate/use.ts';
import { evaluate } from '../../../operator/evaluate/verdict.ts';
import { Evaluator } from '../../../operator/evaluate/violations.ts';
import { deciding } from '../../../operator/policy/deciding.ts';
import { sum, type Tally } from '../policies/campaign.ts';
import { type PolicyCluster, projection } from '../policies/cluster.ts';
import { type Creation, defaulted, podOf, sceneOf } from '../sets/creation.ts';
import { admitCreators, type Creator, readUse } from '../sets/people.ts';
import { admits, type Scene } from '../sets/reference-model.ts';
import { acceptedSet, enforceSets, policiesOf, randomCreations } from '../sets/sets.ts';
import type { Trial } from '../sets/trial.ts';
import { endingSet } from './arbitrary.ts';

interface ExpiryPlan {
  /** The minimum number of policies, and the number of pods for each policy. */
  readonly policies: number;
  readonly pods: number;
  readonly seed: number;
  /** The last possible expiry of a policy, in seconds after the first possible expiry. */
  readonly last: number;
}

export interface ExpiryTally extends Tally {
  /** The number of pods for which the expiry of a policy changes the answer. */
  readonly ended: number;
}

interface EndingTrial extends Trial {
  readonly objects: readonly CompletePolicy[];
  /** The expiry of each policy, in ms since 1970. */
  readonly ends: ReadonlyMap<string, number>;
  /** The time at which the test stops, in ms since 1970. */
  readonly until: number;
}

const SECOND = 1_000;
/** The number of sets that are in force at the same time. */
const BATCH = 6;
const SAMPLES = 20;
/**
 * The possible times until the first expiry, in seconds. All policies must be in force before the first expiry. A slow
 * machine therefore needs a longer time.
 */
const LEADS = [6, 20, 60, 240];

/**
 * Evaluates pods until the last policy expires. A faster machine evaluates more pods. Further batches follow until
 * there are enough pods.
 */
export async function evaluateExpiry(
  cluster: PolicyCluster,
  controlPlane: ControlPlane,
  plan: ExpiryPlan,
): Promise<ExpiryTally> {
  const creators = await admitCreators(cluster, controlPlane);
  let tally: ExpiryTally = { ...sum([]), ended: 0 };
  for (let first = 0; !isEnough(tally, plan); first += BATCH) {
    const ofBatch = await evaluateBatch(cluster, creators, first, plan);
    tally = { ...sum([tally, ...ofBatch]), ended: ofBatch.reduce((all, { ended }) => all + ended, tally.ended) };
  }
  for (const { api } of creators) await api.close();
  return tally;
}

function isEnough({ policies, evaluated, differences }: ExpiryTally, plan: ExpiryPlan): boolean {
  return differences.length > 0 || (policies >= plan.policies && evaluated >= plan.policies * plan.pods);
}

/** @param first the running number of the first set in the batch */
async function evaluateBatch(
  cluster: PolicyCluster,
  creators: readonly Creator[],
  first: number,
  { seed, last }: ExpiryPlan,
): Promise<ExpiryTally[]> {
  const indices = Array.from({ length: BATCH }, (_, i) => first + i);
  for (const lead of LEADS) {
    const start = (Math.ceil(Date.now() / SECOND) + lead) * SECOND;
    const random = (name: string) => endingSet(`${name}-${lead}`, start, last);
    const sets = await Promise.all(indices.map((index) => acceptedSet(cluster, seed, index, random)));
    const enforced = await enforceSets(cluster, sets);
    const shared = { cluster, evaluator: new Evaluator(), use: await readUse(cluster), audit: undefined };
    const until = start + (last + 2) * SECOND;
    const inTime = Date.now() < start - SECOND;
    const evaluating = (inTime ? sets : []).map(({ set, objects }) => {
      const policies = policiesOf({ objects }, enforced);
      const trial = { ...shared, set, policies, objects, ends: endsOf(objects), until };
      return evaluateUntil(trial, randomCreations(set, policies, creators), seed);
    });
    const tallies = await Promise.all(evaluating);
    await enforced.withdraw();
    if (inTime) return tallies;
  }
  throw new Error(`the policies were not in force within ${LEADS.at(-1)} seconds`);
}

/** The expiry of each policy, parsed independently of the operator. */
function endsOf(objects: readonly CompletePolicy[]): ReadonlyMap<string, number> {
  const ending = objects.filter(({ spec }) => spec.expires !== undefined);
  return new Map(ending.map(({ metadata, spec }) => [metadata?.name ?? '', Date.parse(spec.expires ?? '')]));
}

async function evaluateUntil(trial: EndingTrial, creations: Arbitrary<Creation>, seed: number): Promise<ExpiryTally> {
  const tally = { policies: trial.policies.length, evaluated: 0, admitted: 0, invalid: 0, ended: 0 };
  const differences: string[] = [];
  for (const creation of endless(creations, seed)) {
    if (Date.now() >= trial.until) break;
    const outcome = await evaluateCreation(trial, creation);
    if (outcome === 'invalid') tally.invalid++;
    if (typeof outcome === 'string') continue;
    tally.evaluated++;
    if (outcome.admitted) tally.admitted++;
    if (outcome.ended) tally.ended++;
    if (outcome.differences.length > 0 && differences.length === 0) {
      const specs = trial.objects.map(({ metadata, spec }) => `${metadata?.name} ${JSON.stringify(spec)}`);
      const { creator, ...rest } = creation;
      const creates = `${creator.name} creates ${JSON.stringify(rest)}`;
      differences.push([`seed ${seed}`, ...specs, creates, ...outcome.differences].join('\n  '));
    }
  }
  return { ...tally, differences };
}

/**
 * Generates random values without end. Only a few values are generated at a time, because no pod is created while
 * values are generated.
 */
function* endless<T>(arbitrary: Arbitrary<T>, seed: number): Generator<T> {
  for (let part = 0; ; part++) yield* fc.sample(arbitrary, { seed: seed + part, numRuns: SAMPLES });
}

interface Outcome {
  readonly admitted: boolean;
  readonly ended: boolean;
  readonly differences: readonly string[];
}

/**
 * @returns the result of the creation. If the pod was refused while a policy expired, the result is `unclear`. Only an
 * admitted pod shows the API server's time.
 */
async function evaluateCreation(trial: EndingTrial, creation: Creation): Promise<Outcome | 'invalid' | 'unclear'> {
  const pod = podOf(creation);
  const open = await defaulted(trial, pod);
  if (open.status === 422) return 'invalid';
  const { namespace, creator } = creation;
  const scene = sceneOf(trial, creation);
  const sent = Date.now();
  const answer = await trial.cluster.create(pod, namespace.name, { api: creator.api });
  const received = Date.now();
  const admitted = answer.status === 200;
  const now = admitted ? Date.parse(answer.pod.metadata.creationTimestamp) : sent;
  const expectedAt = (time: number) => admits({ ...scene, time: { now: time, ends: trial.ends } }, 'Enforce', open.pod);
  const expected = expectedAt(now);
  if (!admitted && expectedAt(received) !== expected) return 'unclear';
  const operator = operatorAdmits(trial, scene, open.pod, now);
  return {
    admitted,
    ended: admits(scene, 'Enforce', open.pod) !== expected,
    differences: [
      ...(admitted === expected
        ? []
        : [`API server at ${new Date(now).toISOString()}: ${answer.status} ${answer.text}`]),
      ...(operator === expected ? [] : [`the operator at ${new Date(now).toISOString()} admits: ${operator}`]),
    ],
  };
}

function operatorAdmits(trial: EndingTrial, scene: Scene, pod: unknown, now: number): boolean {
  const { evaluator, use, objects } = trial;
  const { namespace, labels, people } = scene;
  const options = { oldestServer: SERVER_MINOR, operatorNamespace: 'operator', excludedNamespaces: [], now };
  const deciders = deciding(compile(objects, options).policies, 'Enforce', labels);
  const users = [serviceAccountUser(namespace, people[0]?.name.split(':').at(-1) ?? ''), ...people.slice(1)];
  const content = projection.content(pod as Parameters<typeof projection.content>[0]);
  const candidate = { namespace, content, users, filled: false, unknownUser: false };
  return deciders.length === 0 || evaluate(candidate, deciders, { evaluator, use }).verdict === 'Compliant';
}
