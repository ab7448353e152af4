/**
 * Tests sequences of steps. A pod is created, and people add ephemeral containers to the pod one after the other. The
 * result of each step must equal the result of the reference model of docs/decisions/0008. If a policy admits a pod
 * before a step, at least one policy must admit the pod after the step.
 */
import fc from 'fast-check';
import type { ControlPlane } from '../../../hack/controlplane/controlplane.ts';
import { concurrently } from '../policies/campaign.ts';
import type { PolicyCluster } from '../policies/cluster.ts';
import type { StatedPod } from '../reference/pod.ts';
import { admitCreators, type Creator, populate, withdraw } from '../sets/people.ts';
import { deciders } from '../sets/reference-model.ts';
import { type AcceptedSet, acceptedSet, policiesOf } from '../sets/sets.ts';
import { randomStepsSet, randomTracks, type Track } from './arbitrary.ts';
import { isAdmittedBySome } from './reference-model.ts';
import { explain, type StepsTally, sceneOf, type Trial, type Writable, walk } from './walk.ts';

interface StepsPlan {
  /** The minimum number of evaluated steps. */
  readonly steps: number;
  /** The number of pods of each set. */
  readonly tracks: number;
  readonly seed: number;
}

const BATCH = 10;
const STEPS_OF_TRACK = 8;
/**
 * A track has about this number of steps that can be evaluated. A track is a pod and its additions. The other steps of
 * a track are invalid, or belong to a refused pod.
 */
const EVALUATED_OF_TRACK = 4;

export async function evaluateSteps(
  cluster: PolicyCluster,
  controlPlane: ControlPlane,
  { steps, tracks, seed }: StepsPlan,
): Promise<StepsTally> {
  const creators = await admitCreators(cluster, controlPlane);
  const tally = { sets: 0, pods: 0, evaluated: 0, admitted: 0, alone: 0, invalid: 0, differences: [] };
  while (tally.evaluated < steps) {
    const first = tally.sets;
    const length = Math.min(BATCH, Math.ceil((steps - tally.evaluated) / (tracks * EVALUATED_OF_TRACK)));
    const sets = await Promise.all(Array.from({ length }, (_, i) => acceptedSet(cluster, seed, first + i, named)));
    await evaluateBatch(cluster, sets, { creators, tracks, seed, first, tally });
  }
  for (const { api } of creators) await api.close();
  return tally;
}

interface Campaign extends Pick<StepsPlan, 'tracks' | 'seed'> {
  readonly creators: readonly Creator[];
  /** The running number of the first set in the batch. */
  readonly first: number;
  readonly tally: Writable<StepsTally>;
}

/**
 * Random sets with a name that no other test uses. Other tests on the same control plane generate sets from the same
 * seed.
 */
function named(set: string) {
  return randomStepsSet(`${set}-steps`);
}

/** Evaluates some sets. Half of the pods are created before the policies. */
async function evaluateBatch(
  cluster: PolicyCluster,
  sets: readonly AcceptedSet[],
  { creators, tracks: count, seed, first, tally }: Campaign,
): Promise<void> {
  await concurrently(sets, ({ set }) => populate(cluster, set));
  const compiled = cluster.compiled(sets.flatMap(({ objects }) => objects));
  const trials = sets.map(({ set, objects }, i) => {
    const policies = policiesOf({ objects }, compiled);
    const trial: Trial = { cluster, set, policies, tally };
    const tracks = fc.sample(randomTracks(set, policies, creators, STEPS_OF_TRACK), {
      seed: seed + first + i,
      numRuns: count,
    });
    return { trial, tracks: tracks.filter((track) => deciders(sceneOf(trial, track), 'Enforce').length > 0) };
  });
  const older = new Map<Track, StatedPod>();
  await concurrently(trials, async ({ trial, tracks }) => {
    for (const [index, track] of tracks.entries()) {
      if (index % 2 === 1) continue;
      const { status, pod } = await cluster.store(podOf(track, index), track.namespace.name);
      if (status === 200) older.set(track, pod);
      else trial.tally.invalid++;
    }
  });
  const enforced = await cluster.enforce(sets.flatMap(({ objects }) => objects));
  await concurrently(trials, async ({ trial, tracks }) => {
    for (const [index, track] of tracks.entries()) {
      const pod = index % 2 === 0 ? older.get(track) : await created(trial, track, index);
      if (pod) await walk(trial, track, pod);
    }
    tally.sets++;
  });
  await enforced.withdraw();
  for (const { set } of sets) await withdraw(cluster, set);
}

/**
 * Creates the pod of a track.
 * @returns the stored pod, or undefined if the pod is refused
 */
async function created(trial: Trial, track: Track, index: number): Promise<StatedPod | undefined> {
  const { status, pod } = await trial.cluster.store(podOf(track, index), track.namespace.name, track.creator.api);
  if (status === 422) trial.tally.invalid++;
  if (status !== 200) return undefined;
  if (!isAdmittedBySome(sceneOf(trial, track), pod)) {
    trial.tally.differences = [
      ...trial.tally.differences,
      explain(trial, track, ['created, though no policy admits it']),
    ];
  }
  return pod;
}

function podOf({ pod, account }: Track, index: number): Track['pod'] {
  const spec = { ...pod.spec, serviceAccountName: account };
  return { ...pod, metadata: { ...pod.metadata, name: `pod-${index}` }, spec };
}
