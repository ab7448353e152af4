/** Adds containers to one pod, step by step. Compares the results of a real API server and of the reference model. */
import { isDeepStrictEqual } from 'node:util';
import type { ResolvedPolicy } from '../../../operator/policy/resolve.ts';
import type { PolicyCluster } from '../policies/cluster.ts';
import type { StatedContainer, StatedPod } from '../reference/pod.ts';
import type { PolicySet } from '../sets/arbitrary.ts';
import { accountOf, type Scene } from '../sets/reference-model.ts';
import type { Step, Track } from './arbitrary.ts';
import { addition, isAdmittedBySome } from './reference-model.ts';

export interface StepsTally {
  readonly sets: number;
  readonly pods: number;
  readonly evaluated: number;
  readonly admitted: number;
  /** The number of admitted additions to pods that satisfied no policy. */
  readonly alone: number;
  readonly invalid: number;
  readonly differences: readonly string[];
}

export interface Trial {
  readonly cluster: PolicyCluster;
  readonly set: PolicySet;
  readonly policies: readonly ResolvedPolicy[];
  readonly tally: Writable<StepsTally>;
}

export type Writable<T> = { -readonly [Field in keyof T]: T[Field] };

export async function walk(trial: Trial, track: Track, pod: StatedPod): Promise<void> {
  const { tally } = trial;
  const isKept = isAdmittedBySome(sceneOf(trial, track), pod);
  const history = [`${isKept ? 'admitted' : 'violating'}: ${JSON.stringify(pod.spec)}`];
  tally.pods++;
  let before = pod;
  for (const [index, step] of track.steps.entries()) {
    const containers = containersOf(step, index, before);
    const after = withAdded(before, containers);
    const scene = sceneOf(trial, track, step);
    const expected = addition(scene, before, after);
    const answer = await trial.cluster.storeEphemeral(nameOf(before), containers, track.namespace.name, step.by.api);
    if (answer.status === 422) {
      tally.invalid++;
      continue;
    }
    tally.evaluated++;
    history.push(`${answer.status} ${step.by.name} adds ${JSON.stringify(containers)} ${answer.text}`);
    const isAdmitted = answer.status === 200;
    const now: StatedPod = isAdmitted ? answer.pod : before;
    const differences = [
      ...(isAdmitted === expected.admitted ? [] : [`expected: admitted ${expected.admitted}`]),
      ...(isAdmitted && !isDeepStrictEqual(addedTo(now), addedTo(expected.pod))
        ? [`expected ${JSON.stringify(addedTo(expected.pod))}, API server makes ${JSON.stringify(addedTo(now))}`]
        : []),
      ...(isKept && !isAdmittedBySome(scene, now) ? ['WIDENED: some policy admitted the pod, and now none does'] : []),
    ];
    if (isAdmitted) tally.admitted++;
    if (isAdmitted && !isAdmittedBySome(scene, now)) tally.alone++;
    before = now;
    if (differences.length === 0) continue;
    tally.differences = [...tally.differences, explain(trial, track, [...history, ...differences])];
    return;
  }
}

function containersOf({ containers, mounts }: Step, index: number, { spec }: StatedPod): StatedContainer[] {
  const volumes = spec.volumes ?? [];
  const mounted = mounts.flatMap(({ volume, readOnly }, i) => {
    const found = volumes[volume];
    return found ? [{ name: found.name, mountPath: `/mounted-${i}`, readOnly }] : [];
  });
  return containers.map((container, i) => ({
    ...container,
    name: `debug-${index}-${i}`,
    ...(mounted.length > 0 && { volumeMounts: mounted }),
  }));
}

function withAdded(pod: StatedPod, containers: readonly StatedContainer[]): StatedPod {
  const ephemeralContainers = [...(pod.spec.ephemeralContainers ?? []), ...containers];
  return { ...pod, spec: { ...pod.spec, ephemeralContainers } };
}

/** The fields that defaulting writes on added containers, by the container's name. */
function addedTo({ spec }: StatedPod): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    (spec.ephemeralContainers ?? []).map(({ name, securityContext }) => [
      name,
      JSON.stringify(plainly(securityContext)),
    ]),
  );
}

function plainly(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      // The API server leaves out empty lists and texts.
      .filter(([, one]) => one !== '' && !(Array.isArray(one) && one.length === 0))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, one]) => [key, plainly(one)]),
  );
}

function nameOf(pod: StatedPod): string {
  return (pod as unknown as { metadata: { name: string } }).metadata.name;
}

/** @param step the step in which a user adds containers. Without a step, the user is the creator of the pod. */
export function sceneOf({ policies, set }: Trial, { namespace, account, creator }: Track, step?: Step): Scene {
  return {
    policies,
    grants: set.grants,
    namespace: namespace.name,
    labels: namespace.labels,
    people: [accountOf(namespace.name, account), step?.by ?? creator],
  };
}

export function explain({ set }: Trial, { namespace, account }: Track, lines: readonly string[]): string {
  return [
    ...set.policies.map(({ name, spec }) => `${name} ${JSON.stringify(spec)}`),
    ...set.grants.map((grant) => `grant ${JSON.stringify(grant)}`),
    `in ${JSON.stringify(namespace)} as ${account}`,
    ...lines,
  ].join('\n  ');
}
