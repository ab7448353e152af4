/**
 * Finds the values that a group of checks can distinguish. Values that the admitting policy refuses are left out. For
 * each value, also finds the refusing policies that the value violates.
 */
import type { Budget } from './budget.ts';
import {
  COMPANION,
  combinations,
  companionsIn,
  containerPartOf,
  type Dimension,
  NAME,
  podPartOf,
  VOLUMES,
} from './dimensions.ts';
import type { Fieldset } from './fields.ts';
import type { UnderstoodCheck } from './groups.ts';
import { type ContainerPart, type PodPart, podOf, type TinyPod, type TinyPods } from './tiny-pods.ts';

/**
 * A container and the volume that it may mount. The field `violated` names the refusing policies that the container and
 * the volume violate, and the violated rules.
 */
export interface Piece extends TinyPod {
  readonly size: number;
  readonly violated: readonly Broken[];
  /** Whether checks of the piece's group distinguish containers by name and image. */
  readonly isNamed: boolean;
}

/** A rule that a pod violates, and the position of the refusing policy that has this rule. */
export interface Broken {
  readonly refuser: number;
  readonly rule: string;
}

/**
 * Values of the pod's own fields, and the containers and volumes that a pod with these values may have. For each group,
 * a pod uses only one option.
 */
export interface Option {
  readonly spec: Fieldset;
  readonly annotations: Fieldset;
  /** The smallest container for each name and image. The key is `nameKey`. */
  readonly defaults: ReadonlyMap<string, Piece>;
  /** The smallest container or volume that violates a rule of a refusing policy. The key is `brokenKey`. */
  readonly breaking: ReadonlyMap<string, Piece>;
  /**
   * Further containers that violate rules of refusing policies. In a container with a certain name, several policies
   * may have to be violated at once. The list is empty unless the search is strict.
   */
  readonly others: ReadonlyMap<string, Piece>;
  /** The refusing policies that a pod with all these containers violates. Bit i stands for policy i. */
  readonly mask: bigint;
  readonly size: number;
}

/** The checks of the admitting policy and of the refusing policies in one group. */
export interface Sides {
  readonly admitting: readonly UnderstoodCheck[];
  /**
   * For each refusing policy, the checks that the admitting policy does not have. The index is the position of the
   * refusing policy.
   */
  readonly refusing: readonly (readonly UnderstoodCheck[])[];
  /** Whether the admitting policy may fill in hostUsers: false before the API server validates the pod. */
  readonly fillsHostUsers: boolean;
}

export function brokenKey({ refuser, rule }: Broken): string {
  return `${refuser} ${rule}`;
}

/**
 * A text with the name and the image of a container. The name and the image determine which entries of
 * `spec.containers` select the container.
 */
export function nameKey({ name, image }: Fieldset): string {
  return `${name} ${image}`;
}

/** The values of a group that can be combined. */
export interface GroupValues {
  /** The values of the pod's own fields. Item i belongs to the values of the common fields at position i. */
  readonly pods: readonly PodPart[];
  readonly containers: readonly ContainerPart[];
  /** Whether checks distinguish containers by name and image. */
  readonly isNamed: boolean;
  readonly companions: readonly (readonly Fieldset[])[];
  readonly volumes: readonly (readonly Fieldset[] | undefined)[];
  /** Whether some check reads a container together with the volumes of the pod. */
  readonly mounts: boolean;
}

/** The values that are chosen for some dimensions. The map's keys are the keys of the dimensions. */
export type Chosen = ReadonlyMap<string, unknown>;

/** @param common the values of the common fields, which every pod has */
export function valuesOf(
  dimensions: readonly Dimension[],
  checks: readonly UnderstoodCheck[],
  common: Chosen,
): GroupValues {
  const combined = (isPart: (key: string) => boolean) => combinations(dimensions.filter(({ key }) => isPart(key)));
  const others = combined((key) => key === COMPANION);
  return {
    pods: combined((key) => /^spec[.@]/.test(key)).map((own) => podPartOf(new Map([...common, ...own]))),
    containers: combined((key) => key === NAME || /^c[.@]/.test(key)).map((own) =>
      containerPartOf(new Map([...common, ...own])),
    ),
    isNamed: dimensions.some(({ key, values }) => key === NAME && values.length > 1),
    companions: others.map((own) => companionsIn(own).companions),
    volumes: (dimensions.find(({ key }) => key === VOLUMES)?.values ?? [undefined]) as GroupValues['volumes'],
    mounts: checks.some(({ reads }) => {
      const paths = [...reads.paths].filter((path) => !/^c\.(name|image)$/.test(path));
      return paths.some((path) => path.startsWith('c')) && paths.some((path) => /^v\b|^spec\.volumes/.test(path));
    }),
  };
}

/**
 * The options that the admitting policy admits. The list is empty if the admitting policy admits no pod with these
 * values.
 */
export function optionsOf(values: GroupValues, sides: Sides, examining: Examining): Option[] {
  const options = new Map<string, Option>();
  for (const own of values.pods) {
    const option = optionOf(values, own, sides, examining);
    if (!option) continue;
    const key = [...option.breaking.keys(), '|', ...option.defaults.keys(), ...option.others.keys()].sort().join();
    const known = options.get(key);
    if (!known || option.size < known.size) options.set(key, option);
  }
  return [...options.values()];
}

function* piecesOf(values: GroupValues, own: PodPart): Generator<TinyPod> {
  const [first] = values.containers;
  for (const volumes of values.volumes) {
    // If no check reads a volume together with a container, one container is enough to examine the volume.
    const containers = volumes && !values.mounts && first ? [first] : values.containers;
    for (const container of containers)
      for (const companions of values.companions)
        yield { ...own, ...container, companions, ...(volumes && { volumes }) };
  }
}

interface Examining {
  readonly pods: TinyPods;
  readonly budget: Budget;
  /** Whether options keep a piece for each name and each list of violated rules. */
  readonly keepsAll: boolean;
}

/** The number of pods that `optionsOf` examines. */
export function countOf({ pods, containers, companions, volumes, mounts }: GroupValues): number {
  const alone = Math.min(containers.length, 1);
  const beside = volumes.map((one) => (one && !mounts ? alone : containers.length));
  return pods.length * companions.length * beside.reduce((sum, count) => sum + count, 0);
}

function optionOf(
  values: GroupValues,
  own: PodPart,
  sides: Sides,
  { pods, budget, keepsAll }: Examining,
): Option | undefined {
  const defaults = new Map<string, Piece>();
  const breaking = new Map<string, Piece>();
  const others = new Map<string, Piece>();
  let mask = 0n;
  for (const tiny of piecesOf(values, own)) {
    budget.spend();
    if (sides.admitting.some((check) => pods.violates(check, tiny)) || !pods.isAccepted(tiny, sides.fillsHostUsers))
      continue;
    const violated = sides.refusing.flatMap((checks, refuser) =>
      checks.filter((check) => pods.violates(check, tiny)).map(({ rule }) => ({ refuser, rule })),
    );
    const piece = { ...tiny, violated, isNamed: values.isNamed, size: sizeOf(tiny) };
    if (!tiny.volumes) keepSmaller(defaults, nameKey(tiny.container), piece);
    if (keepsAll && violated.length > 0)
      keepSmaller(others, JSON.stringify([nameKey(tiny.container), violated.map(brokenKey)]), piece);
    for (const broken of violated) {
      mask |= 1n << BigInt(broken.refuser);
      keepSmaller(breaking, brokenKey(broken), piece);
    }
  }
  const [first] = [...defaults.values()].sort((a, b) => a.size - b.size);
  return (
    first && { spec: first.spec, annotations: first.annotations, defaults, breaking, others, mask, size: first.size }
  );
}

function keepSmaller(kept: Map<string, Piece>, key: string, piece: Piece): void {
  const known = kept.get(key);
  if (!known || piece.size < known.size) kept.set(key, piece);
}

function sizeOf(tiny: TinyPod): number {
  return JSON.stringify(podOf(tiny)).length;
}
