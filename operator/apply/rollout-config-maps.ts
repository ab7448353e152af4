/**
 * Converts the state of a rollout to ConfigMaps in the operator's namespace, and the ConfigMaps back to the state. The
 * functions are pure.
 */
import {
  FIELD_MANAGER,
  GROUP,
  type LabelSelector,
  MANAGED_BY_LABEL,
  ROLLOUT_CONFIG_MAP_PREFIX,
} from '../api/capability-policy.ts';
import { entriesByKey } from '../model/by-key.ts';
import { objectOf, type RawObject, textsIn } from '../model/raw.ts';
import { perObject } from '../policy/memo.ts';
import { ENTRY_STATES, type Entry, type Labelling, type RolloutState } from '../promotion/state.ts';

/** The label of a rollout's ConfigMap. The value of the label on a ConfigMap is the name of the policy. */
export const ROLLOUT_OF_LABEL = `${GROUP}/rollout`;
/**
 * The entry with this key has the data about the whole rollout. The name of a namespace contains no dot, so no
 * namespace can have the same key.
 */
const WHOLE = 'rollout.json';
/** Matches the index and the name of the policy at the end of a ConfigMap's name. */
const NAME = new RegExp(`^${ROLLOUT_CONFIG_MAP_PREFIX}(\\d+)\\.(.+)$`);
/**
 * The maximum number of entries in one ConfigMap. A ConfigMap can hold 1 MiB. A ConfigMap with this number of entries
 * has about 70 kB. Each change rewrites the whole ConfigMap.
 */
const MOST_ENTRIES = 500;

export interface ConfigMap {
  readonly apiVersion: 'v1';
  readonly kind: 'ConfigMap';
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly data: Readonly<Record<string, string>>;
}

/**
 * The index of the ConfigMap that contains the entry of a namespace. The key is the namespace. The index of a namespace
 * does not change. A change of one entry therefore rewrites only one ConfigMap.
 */
export type Placement = ReadonlyMap<string, number>;

/** Keeps each known namespace in its ConfigMap, and assigns new namespaces to ConfigMaps that have room. */
export function placed(state: RolloutState, before: Placement): Placement {
  const names = [...state.namespaces.keys()];
  const after = new Map(names.flatMap((name) => (before.has(name) ? [[name, before.get(name) ?? 0] as const] : [])));
  const sizes: number[] = [];
  for (const index of after.values()) sizes[index] = (sizes[index] ?? 0) + 1;
  let index = 0;
  for (const name of names.filter((one) => !after.has(one))) {
    while ((sizes[index] ?? 0) >= MOST_ENTRIES) index++;
    sizes[index] = (sizes[index] ?? 0) + 1;
    after.set(name, index);
  }
  return after;
}

/**
 * Renders the ConfigMaps. The key is the index of the ConfigMap. The first ConfigMap exists as long as the rollout
 * exists.
 */
export function configMapsOf(
  policy: string,
  state: RolloutState,
  placement: Placement,
  namespace: string,
): Map<number, ConfigMap> {
  const data = new Map<number, Record<string, string>>([[0, { [WHOLE]: wholeOf(state) }]]);
  for (const [name, entry] of entriesByKey(state.namespaces)) {
    const index = placement.get(name) ?? 0;
    const entries = data.get(index) ?? {};
    entries[name] = textOf(entry);
    data.set(index, entries);
  }
  return new Map([...data].map(([index, one]) => [index, configMap(policy, index, namespace, one)]));
}

function wholeOf(state: RolloutState): string {
  const { uid, deleted, begun, selector, excluded, inForce, rested, labelling, lastPromotion } = state;
  return JSON.stringify({
    uid,
    deleted: deleted && timeOf(deleted),
    begun,
    selector,
    excluded,
    inForce,
    rested,
    labelling: labelling && { ...labelling, since: timeOf(labelling.since) },
    lastPromotion: lastPromotion && timeOf(lastPromotion),
  });
}

/**
 * The entry as JSON. The function caches the JSON of each entry, because most entries do not change between two writes.
 */
const textOf = perObject(({ uid, state, since, byName }: Entry) =>
  JSON.stringify({ uid, state, since: timeOf(since), byName }),
);

export function configMapName(policy: string, index: number): string {
  return `${ROLLOUT_CONFIG_MAP_PREFIX}${index}.${policy}`;
}

/**
 * The ConfigMap has no owner. If the policy owned the ConfigMap, the garbage collector would delete the state when the
 * policy is deleted and created again.
 */
function configMap(policy: string, index: number, namespace: string, data: ConfigMap['data']): ConfigMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: configMapName(policy, index),
      namespace,
      labels: { [MANAGED_BY_LABEL]: FIELD_MANAGER, [ROLLOUT_OF_LABEL]: policy },
    },
    data,
  };
}

/** A rollout that was read from its ConfigMaps. */
export interface Kept {
  readonly state: RolloutState;
  readonly placement: Placement;
  /** The indexes of the ConfigMaps that an earlier release wrote. They have an owner. */
  readonly owned: ReadonlySet<number>;
}

/**
 * @param raws all ConfigMaps of rollouts
 * @returns the rollouts that can be read. The key is the policy's name
 */
export function keptIn(raws: readonly RawObject[]): Map<string, Kept> {
  const byPolicy = Map.groupBy(raws, ({ metadata }) => NAME.exec(metadata?.name ?? '')?.[2] ?? '');
  byPolicy.delete('');
  return new Map([...byPolicy].map(([policy, ofOne]) => [policy, keptOf(ofOne)]));
}

function keptOf(raws: readonly RawObject[]): Kept {
  const namespaces = new Map<string, Entry>();
  const placement = new Map<string, number>();
  const owned = new Set<number>();
  let whole: Partial<RolloutState> = {};
  let uid = '';
  for (const { metadata, data } of raws) {
    const index = Number(NAME.exec(metadata?.name ?? '')?.[1]);
    const [owner] = metadata?.ownerReferences ?? [];
    if (owner) owned.add(index);
    uid ||= owner?.uid ?? '';
    for (const [key, text] of Object.entries(textsIn(data))) {
      const value = parsed(text);
      if (key === WHOLE) whole = wholeIn(value);
      const entry = key === WHOLE ? undefined : entryIn(value);
      if (!entry) continue;
      namespaces.set(key, entry);
      placement.set(key, index);
    }
  }
  return { state: { begun: false, uid, ...whole, namespaces }, placement, owned };
}

function wholeIn(whole: Readonly<Record<string, unknown>>): Partial<RolloutState> {
  const promoted = millisecondsIn(whole.lastPromotion);
  const deleted = millisecondsIn(whole.deleted);
  const { uid, selector, inForce, rested, excluded } = whole;
  const labelling = labellingIn(objectOf(whole.labelling));
  return {
    begun: whole.begun === true,
    ...(typeof uid === 'string' && { uid }),
    ...(deleted !== undefined && { deleted }),
    ...(isSelector(selector) && { selector }),
    ...(isSelector(inForce) && { inForce }),
    ...(isSelector(rested) && { rested }),
    ...(Array.isArray(excluded) && { excluded: excluded.map(String) }),
    ...(labelling && { labelling }),
    ...(promoted !== undefined && { lastPromotion: promoted }),
  };
}

function labellingIn({ selector, since }: Readonly<Record<string, unknown>>): Labelling | undefined {
  const at = millisecondsIn(since);
  return isSelector(selector) && at !== undefined ? { selector, since: at } : undefined;
}

function isSelector(value: unknown): value is LabelSelector {
  return typeof value === 'object' && value !== null;
}

function entryIn({ uid, state, since, byName }: Readonly<Record<string, unknown>>): Entry | undefined {
  const at = millisecondsIn(since);
  const known = ENTRY_STATES.find((one) => one === state);
  if (typeof uid !== 'string' || known === undefined || at === undefined) return undefined;
  return { uid, state: known, since: at, ...(byName === true && { byName }) };
}

/** Parses a value of a ConfigMap. People may edit ConfigMaps, so the function does not trust the value. */
function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    return objectOf(JSON.parse(text));
  } catch {
    return {};
  }
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

function millisecondsIn(time: unknown): number | undefined {
  const ms = typeof time === 'string' ? Date.parse(time) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}
