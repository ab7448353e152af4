/**
 * Finds values of a group's dimensions that no check ever distinguishes. The search considers all values of the other
 * fields. Groups with the same dimensions share the results.
 */
import { perObject } from '../../operator/policy/memo.ts';
import type { Factor } from './alternatives.ts';
import {
  COMPANION,
  combinations,
  companionsIn,
  containerPartOf,
  type Dimension,
  MOST_COMBINATIONS,
  NAME,
  OTHERS,
  podPartOf,
  VOLUMES,
  volumesIn,
} from './dimensions.ts';
import type { UnderstoodCheck } from './groups.ts';
import { keysOf, tellsContainersApart } from './paths.ts';
import { ReadParts, WHOLE } from './read-parts.ts';
import type { ContainerPart, PodKeys, TinyPod, TinyPods, Understood } from './tiny-pods.ts';
import { TooMany } from './too-many.ts';

/**
 * Gives a number to each value of each dimension. If two values have the same number, each check has the same verdict
 * for both values. The two verdicts agree for every choice of values for the other fields that the check reads.
 */
export type Rows = ReadonlyMap<string, readonly number[]>;

export function rowsOf(dimensions: readonly Dimension[], checks: readonly UnderstoodCheck[], pods: TinyPods): Rows {
  const columns = new Map(dimensions.map(({ key }) => [key, [] as (readonly number[])[]]));
  const known = knownColumns(pods);
  const add = (found: ReadonlyMap<string, Column>) => {
    for (const [key, column] of found) columns.get(key)?.push(column);
  };
  for (const factor of new Set(checks.flatMap((check) => check.factors))) {
    const read = dimensions.filter(({ key }) => isRead(key, factor));
    add(known.ofFactor(factor, read));
  }
  // Each of the API server's own conditions is about one or two fields.
  for (const [i, a] of dimensions.entries()) for (const b of dimensions.slice(i + 1)) add(known.ofAccepted([a, b]));
  return new Map(
    dimensions.map(({ key, values }) => {
      const ofKey = columns.get(key) ?? [];
      return [key, firstEqual(values.map((_, i) => ofKey.map((column) => column[i]).join()))];
    }),
  );
}

/** Columns that were already calculated for other groups. */
const knownColumns = perObject((pods: TinyPods) => new KnownColumns(pods));

/** The dimension with fewer values. If no check distinguishes a value from an earlier value, the value is left out. */
export function reduced({ key, values }: Dimension, rows: readonly Rows[]): Dimension {
  const seen = new Set<string>();
  const isNew = (_: unknown, i: number) => {
    const ofKey = rows.map((one) => one.get(key) ?? []).filter(({ length }) => length === values.length);
    const row = ofKey.map((one) => one[i]).join('|');
    return !seen.has(row) && seen.add(row) !== undefined;
  };
  return { key, values: values.filter(isNew) };
}

function isRead(key: string, { reads }: Understood): boolean {
  const has = (pattern: RegExp) => [...reads.paths].some((path) => pattern.test(path));
  switch (key) {
    case NAME:
      return [...reads.paths].some(tellsContainersApart);
    case COMPANION:
    case OTHERS:
      return has(/^x\.(?!name$|image$)/);
    case VOLUMES:
      return has(/^v\b|^spec\.volumes/);
    default:
      return [...reads.paths].some(
        (path) => path === key || path.startsWith(`${key}.`) || path.startsWith(`${key}[`) || isKeyIn(key, path),
      );
  }
}

/** The maximum number of pods that are kept for the same dimensions. */
const MOST_KEPT = 2_000;

/**
 * For each value of a dimension, the position of the first value that gets the same answers. The index is the position
 * of the value.
 */
type Column = readonly number[];

class KnownColumns {
  readonly #pods: TinyPods;
  readonly #columns = new Map<string, ReadonlyMap<string, Column>>();
  readonly #combined = new Map<string, Combined>();
  readonly #names = new Map<string, number>();
  readonly #parts = new ReadParts();

  constructor(pods: TinyPods) {
    this.#pods = pods;
  }

  /**
   * Returns the columns of the factor's answers, one for each dimension that the factor reads.
   *
   * @param read the dimensions that the factor reads
   * @throws TooMany or TooLate
   */
  ofFactor(factor: Factor, read: readonly Dimension[]): ReadonlyMap<string, Column> {
    return this.#of(`${factor.id}`, read, (tiny, keys) => this.#pods.answer(factor, tiny, keys));
  }

  /** The columns for the decisions of the API server about the pods. @throws TooMany or TooLate */
  ofAccepted(dimensions: readonly Dimension[]): ReadonlyMap<string, Column> {
    return this.#of('accepted', dimensions, (tiny) => (this.#pods.isAccepted(tiny) ? '1' : '0'));
  }

  #of(condition: string, dimensions: readonly Dimension[], answer: Answer): ReadonlyMap<string, Column> {
    const names = dimensions.map((one) => this.#nameOf(one)).join();
    const key = `${condition} ${names}`;
    const known = this.#columns.get(key) ?? columnsOf(this.#combine(names, dimensions), answer);
    this.#columns.set(key, known);
    return known;
  }

  /**
   * Returns the same pods for all conditions about the same dimensions. The parts of the shared pods are therefore
   * named only once.
   */
  #combine(names: string, dimensions: readonly Dimension[]): Combined {
    const known = this.#combined.get(names);
    if (known) return known;
    const all = combined(dimensions);
    if (all.count <= MOST_KEPT) this.#combined.set(names, all);
    return all;
  }

  /** A short name for the dimension. Equal dimensions have the same name. */
  readonly #nameOf = perObject(({ key, values }: Dimension): number => {
    const text = [key, ...values.map((value) => this.#textOf(value))].join('\n');
    const name = this.#names.get(text) ?? this.#names.size;
    this.#names.set(text, name);
    return name;
  });

  /** Thousands of values may share a long list. The list is therefore written only once, and has a short name. */
  #textOf(value: unknown): string {
    if (typeof value !== 'object' || value === null) return JSON.stringify(value);
    return this.#parts.textOf(value, Object.fromEntries(Object.keys(value).map((field) => [field, WHOLE])));
  }
}

interface Combined {
  /**
   * The dimensions in the order in which their values are combined. The value of the last dimension changes fastest.
   */
  readonly order: readonly Dimension[];
  readonly count: number;
  readonly pods: Iterable<TinyPod>;
  /** The known keys of each pod, if the pods are kept. The index is the position of the pod. */
  readonly keys: readonly PodKeys[];
}

/** @throws TooMany */
function combined(dimensions: readonly Dimension[]): Combined {
  const isOfContainer = (key: string) => /^c[.@]/.test(key) || key === NAME || key === OTHERS;
  const parts = [
    (key: string) => /^spec[.@]/.test(key),
    isOfContainer,
    (key: string) => key === COMPANION,
    (key: string) => key === VOLUMES,
  ].map((isPart) => dimensions.filter(({ key }) => isPart(key)));
  const [ofPod = [], ofContainer = [], others = [], volumes = []] = parts.map(combinations);
  const count = ofPod.length * ofContainer.length * others.length * volumes.length;
  const keys = dimensions.map(({ key }) => key);
  if (count > MOST_COMBINATIONS) throw new TooMany(`${count} combinations of values of ${keys.join(', ')}`);
  const containers: ContainerPart[] = [];
  const all = {
    *[Symbol.iterator](): Generator<TinyPod> {
      for (const pod of ofPod.map(podPartOf))
        for (const [i, ofOne] of ofContainer.entries()) {
          // Parts are made on demand, because a search may end after a few containers.
          containers[i] ??= containerPartOf(ofOne);
          for (const other of others)
            for (const one of volumes) yield { ...pod, ...containers[i], ...companionsIn(other), ...volumesIn(one) };
        }
    },
  };
  if (count > MOST_KEPT) return { order: parts.flat(), count, pods: all, keys: [] };
  const pods = [...all];
  return { order: parts.flat(), count, pods, keys: pods.map(() => new Map()) };
}

/** The answer to one condition about a pod. */
type Answer = (tiny: TinyPod, keys: PodKeys | undefined) => string;

function columnsOf({ order, count, pods, keys }: Combined, answer: Answer): ReadonlyMap<string, Column> {
  const answers: string[] = [];
  for (const pod of pods) answers.push(answer(pod, keys[answers.length]));
  const columns = new Map<string, Column>();
  let stride = count;
  for (const { key, values } of order) {
    const block = stride / values.length;
    const found = values.map(() => [] as string[]);
    for (const [index, one] of answers.entries()) found[Math.floor((index % stride) / block)]?.push(one);
    columns.set(key, firstEqual(found.map((ofValue) => ofValue.join(''))));
    stride = block;
  }
  return columns;
}

/** For each text, the position of the first equal text. */
function firstEqual(texts: readonly string[]): number[] {
  const first = new Map<string, number>();
  return texts.map((text, i) => {
    const known = first.get(text) ?? i;
    first.set(text, known);
    return known;
  });
}

/** Whether the path represents all field names of a pod or container, and `key` is one of these fields. */
function isKeyIn(key: string, path: string): boolean {
  const [root = '', ...fields] = key.split('.');
  return path === keysOf(root) && fields.length === 1;
}
