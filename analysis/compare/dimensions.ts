/**
 * For a group of checks, finds the values of fields that can be chosen independently. A value of a field is left out if
 * no check ever distinguishes the value from an earlier value. As a result, the number of remaining combinations of
 * values is small.
 */
import type { Fieldset } from './fields.ts';
import type { Group, Groups, UnderstoodCheck } from './groups.ts';
import { ONE_OF, REQUIRED } from './kubernetes.ts';
import { isContainerName, keysOf, tellsContainersApart, typeOf } from './paths.ts';
import { type ContainerPart, mergedObjects, type PodPart, type TinyPod, USUAL } from './tiny-pods.ts';
import { TooMany } from './too-many.ts';

/**
 * A part of a pod, with the possible values of the part. Each part can be chosen independently of the other parts. Most
 * dimensions are fields.
 */
export interface Dimension {
  /** The path of the field, or one of the keys that the constants below define. */
  readonly key: string;
  readonly values: readonly unknown[];
}

/** The keys of dimensions that are not a single field. */
export const NAME = 'name';
export const COMPANION = 'companion';
export const VOLUMES = 'volumes';
/**
 * Fields of containers. Checks ask only whether some container of the pod sets these fields. The examined container
 * gets them.
 */
export const OTHERS = 'of some container';

const LISTS = ['spec.containers', 'spec.initContainers', 'spec.ephemeralContainers', 'spec.volumes'];

/** For the fields that one check reads, the maximum number of combinations of values. */
export const MOST_COMBINATIONS = 300_000;

/** The dimensions of the fields that belong to no group. */
export function commonDimensions({ common }: Groups): Dimension[] {
  const { fields, paths, companions } = common;
  const ofSpec = paths
    .filter((path) => path.startsWith('spec.'))
    .map((path) => ({ key: path, values: fields.values(path) }));
  return [...ofSpec, { key: OTHERS, values: companions }];
}

export function dimensionsOf({ fields, paths, checks }: Group, { containers, isCommon }: Groups): Dimension[] {
  const has = (pattern: RegExp) => [...paths].some((path) => pattern.test(path));
  const units = unitsOf(checks, isCommon).map((path) => ({ key: path, values: fields.values(path) }));
  const unknown = ['spec', 'c'].flatMap((root) =>
    fields
      .unknownKeys(root)
      .map((name) => ({ key: `${root}.${name}`, values: [undefined, ...fields.unknownValues(root, name)] })),
  );
  const isNamed = [...paths].some(tellsContainersApart);
  const others = [...paths].some((path) => path.startsWith('x.') && !isContainerName(path) && !isCommon(path));
  return [
    ...units,
    ...unknown,
    { key: NAME, values: isNamed ? containers : [USUAL] },
    { key: COMPANION, values: others ? [undefined, ...fields.object('x', (path) => !isCommon(path))] : [undefined] },
    {
      key: VOLUMES,
      values: has(/^v\b|^spec\.volumes/) ? volumesOf(fields.values('v'), fields.lengths('spec.volumes')) : [undefined],
    },
  ];
}

function volumesOf(volumes: readonly unknown[], lengths: readonly number[]): (readonly Fieldset[] | undefined)[] {
  const copies = (volume: Fieldset, length: number) =>
    Array.from({ length }, (_, i) => (i === 0 ? volume : { ...volume, name: `${volume.name}-${i}` }));
  return [undefined, ...[1, ...lengths].flatMap((length) => volumes.map((one) => copies(one as Fieldset, length)))];
}

/** The paths of values that are chosen as a whole: single fields, lists, and objects whose presence matters. */
function unitsOf(checks: readonly UnderstoodCheck[], isCommon: (path: string) => boolean): string[] {
  const paths = new Set(checks.flatMap(({ reads }) => [...reads.paths]).filter((path) => /^(?:spec|c)[.@]/.test(path)));
  const isWhole = (path: string) => {
    if (path.includes('@')) return true;
    const type = typeOf(path);
    const isObject = /^[A-Z]/.test(type);
    return !isObject || type in REQUIRED || type in ONE_OF || paths.has(keysOf(path)) || isPresent(path);
  };
  const isPresent = (path: string) => checks.some(({ reads }) => reads.presence.has(path));
  const candidates = [...paths].filter(
    (path) => !/[[#]/.test(path) && !isCommon(path) && !LISTS.includes(path) && !isContainerName(path) && isWhole(path),
  );
  return candidates.filter((path) => !candidates.some((other) => path.startsWith(`${other}.`)));
}

/** The fields of the pod itself. */
export function podPartOf(chosen: ReadonlyMap<string, unknown>): PodPart {
  return { spec: fieldsBelow('spec.', chosen), annotations: annotationsBelow('spec@', chosen) };
}

export function containerPartOf(chosen: ReadonlyMap<string, unknown>): ContainerPart {
  const own = (chosen.get(NAME) ?? USUAL) as Fieldset;
  const others = (chosen.get(OTHERS) ?? {}) as Fieldset;
  const container = { ...mergedObjects(fieldsBelow('c.', chosen), others), ...own };
  return { container, ofContainer: annotationsBelow('c@', chosen) };
}

export function companionsIn(chosen: ReadonlyMap<string, unknown>): Pick<TinyPod, 'companions'> {
  const companion = chosen.get(COMPANION) as Fieldset | undefined;
  return { companions: companion ? [companion] : [] };
}

export function volumesIn(chosen: ReadonlyMap<string, unknown>): Pick<TinyPod, 'volumes'> {
  const volumes = chosen.get(VOLUMES) as readonly Fieldset[] | undefined;
  return volumes ? { volumes } : {};
}

function fieldsBelow(root: string, chosen: ReadonlyMap<string, unknown>): Fieldset {
  const fields = {};
  // This function may change only objects that the function itself has created. The chosen values are shared with other
  // pods.
  const own = new Set<object>([fields]);
  for (const [key, value] of chosen) {
    if (value === undefined || !key.startsWith(root)) continue;
    const [, ...steps] = key.split('.');
    const last = steps.pop() ?? '';
    let object: Record<string, unknown> = fields;
    for (const step of steps) {
      const below = object[step] as Record<string, unknown> | undefined;
      const next = below && own.has(below) ? below : { ...below };
      own.add(next);
      object[step] = next;
      object = next;
    }
    object[last] = value;
  }
  return fields;
}

function annotationsBelow(root: string, chosen: ReadonlyMap<string, unknown>): Fieldset {
  const set = [...chosen].filter(([key, value]) => key.startsWith(root) && value !== undefined);
  return Object.fromEntries(set.map(([key, value]) => [key.slice(root.length), value]));
}

/** The pod with the chosen values. */
export function tinyPodOf(chosen: ReadonlyMap<string, unknown>): TinyPod {
  return { ...podPartOf(chosen), ...containerPartOf(chosen), ...companionsIn(chosen), ...volumesIn(chosen) };
}

/** All combinations of the values of the given dimensions. */
export function combinations(dimensions: readonly Dimension[]): ReadonlyMap<string, unknown>[] {
  return dimensions.reduce<Map<string, unknown>[]>(
    (all, { key, values }) => {
      const count = all.length * values.length;
      if (count > MOST_COMBINATIONS)
        throw new TooMany(`${count} combinations of values of ${dimensions.map((one) => one.key).join(', ')}`);
      return all.flatMap((chosen) => values.map((value) => new Map(chosen).set(key, value)));
    },
    [new Map()],
  );
}
