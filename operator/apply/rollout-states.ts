/** Reads and writes the states of rollouts. ConfigMaps in the operator's namespace hold the states. */
import { FIELD_MANAGER, MANAGED_BY_LABEL } from '../api/capability-policy.ts';
import { type ApiClient, isNotFound, pathFor } from '../cluster/client.ts';
import type { RawObject } from '../model/raw.ts';
import type { RolloutState } from '../promotion/state.ts';
import {
  type ConfigMap,
  configMapName,
  configMapsOf,
  type Kept,
  keptIn,
  type Placement,
  placed,
  ROLLOUT_OF_LABEL,
} from './rollout-config-maps.ts';

const SELECTOR = `${MANAGED_BY_LABEL}=${FIELD_MANAGER},${ROLLOUT_OF_LABEL}`;

/** The last write of a rollout's state. */
interface Written {
  readonly placement: Placement;
  /** The written ConfigMaps as JSON. The key is the index of the ConfigMap. */
  readonly texts: ReadonlyMap<number, string>;
}

const NOTHING: Written = { placement: new Map(), texts: new Map() };

/**
 * A list of the ConfigMaps is used for this time in ms. At the start of a term, all rollouts share one list. A policy
 * that is restored later needs a new list, because its ConfigMaps may have been restored, too.
 */
const LIST_KEPT_MS = 1_000;

/**
 * Reads and writes the ConfigMaps of rollouts. Each leader's term has its own instance. During the term, no other
 * process writes the ConfigMaps of rollouts.
 */
export class RolloutStates {
  readonly #client: ApiClient;
  readonly #namespace: string;
  #kept: { readonly listed: Promise<Map<string, Kept>>; readonly until: number } | undefined;
  /** The last write of each rollout's state. The key is the policy's name. */
  readonly #written = new Map<string, Written>();

  /** @param namespace the operator's own namespace */
  constructor(client: ApiClient, namespace: string) {
    this.#client = client;
    this.#namespace = namespace;
  }

  /** The saved state of the policy with this name. @throws the client's error */
  async read(policy: string): Promise<RolloutState | undefined> {
    const kept = (await this.#all()).get(policy);
    if (!kept) {
      this.#written.delete(policy);
      return undefined;
    }
    const texts = configMapsOf(policy, kept.state, kept.placement, this.#namespace);
    const textOf = (index: number, one: ConfigMap) => (kept.owned.has(index) ? '' : JSON.stringify(one));
    this.#written.set(policy, {
      placement: kept.placement,
      texts: new Map([...texts].map(([index, one]) => [index, textOf(index, one)])),
    });
    return kept.state;
  }

  /** The names of the policies with a saved state. Some of these policies may be deleted. @throws the client's error */
  async policies(): Promise<string[]> {
    return [...(await this.#all()).keys()];
  }

  /**
   * Writes the ConfigMaps that differ from the last write.
   * @throws the client's error. After an error, all ConfigMaps count as not written
   */
  async write(policy: string, state: RolloutState): Promise<void> {
    const before = this.#written.get(policy) ?? NOTHING;
    const placement = placed(state, before.placement);
    const wanted = configMapsOf(policy, state, placement, this.#namespace);
    const texts = new Map<number, string>();
    for (const [index, configMap] of wanted) {
      const text = JSON.stringify(configMap);
      if (before.texts.get(index) !== text) await this.#apply(configMap);
      texts.set(index, text);
    }
    for (const index of before.texts.keys()) if (!wanted.has(index)) await this.#remove(policy, index);
    this.#written.set(policy, { placement, texts });
    this.#kept = undefined;
  }

  /** Deletes the state of a policy that no longer has a rollout. @throws the client's error */
  async remove(policy: string): Promise<void> {
    if (!this.#written.has(policy)) await this.read(policy);
    for (const index of this.#written.get(policy)?.texts.keys() ?? []) await this.#remove(policy, index);
    this.#written.delete(policy);
    this.#kept = undefined;
  }

  #all(): Promise<Map<string, Kept>> {
    if (this.#kept && performance.now() < this.#kept.until) return this.#kept.listed;
    const kept = { listed: this.#list(), until: performance.now() + LIST_KEPT_MS };
    this.#kept = kept;
    kept.listed.catch(() => {
      if (this.#kept === kept) this.#kept = undefined;
    });
    return kept.listed;
  }

  async #list(): Promise<Map<string, Kept>> {
    const raws: RawObject[] = [];
    const path = pathFor('v1', 'ConfigMap', this.#namespace);
    await this.#client.list(path, { labelSelector: SELECTOR }, ({ items }) => raws.push(...(items ?? [])));
    return keptIn(raws);
  }

  async #apply(configMap: ConfigMap): Promise<void> {
    await this.#client.apply(configMap, { force: true });
  }

  async #remove(policy: string, index: number): Promise<void> {
    try {
      await this.#client.remove(pathFor('v1', 'ConfigMap', this.#namespace, configMapName(policy, index)));
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}
