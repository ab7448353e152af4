/** Saves the states of rollouts. A saved state is not lost when a term ends, or while a policy rests. */
import type { CompletePolicy } from '../api/capability-policy.ts';
import { type ApiClient, ApiError, isConflict, isOverloaded } from '../cluster/client.ts';
import type { Cluster } from '../model/objects.ts';
import { firstState } from '../promotion/first-state.ts';
import type { Rollouts } from '../promotion/rollouts.ts';
import { isUnbegun, type RolloutState, resting } from '../promotion/state.ts';
import { enforcedSpecs } from '../state/accepted-specs.ts';
import { RolloutStates } from './rollout-states.ts';

/** The state of a deleted policy is kept for this time in ms: longer than most tools keep a backup. */
const KEPT_MS = 30 * 86_400_000;

interface Context {
  readonly client: ApiClient;
  readonly cluster: Pick<Cluster, 'rendered' | 'namespaces' | 'policy'>;
  readonly state: {
    /** The states of rollouts in this term. */
    readonly promotions: Rollouts;
    readonly policies: {
      /** The namespaces that no policy reaches. */
      readonly excluded: readonly string[];
    };
    /** The current time, in milliseconds since 1970. */
    now(): number;
  };
}

/** The saved states of rollouts. Each term of a leader uses a separate instance of this class. */
export class KeptRollouts {
  readonly #context: Context;
  readonly #states: RolloutStates;

  /** @param operatorNamespace the namespace of the ConfigMaps that hold the states */
  constructor(context: Context, operatorNamespace: string) {
    this.#context = context;
    this.#states = new RolloutStates(context.client, operatorNamespace);
  }

  /**
   * Returns the state of the policy's rollout. In the first step of a term, or after the rollout has ended, the method
   * reads the saved state. If no state is saved, the method derives the state from the enforced part and the labels. If
   * the policy was deleted and created again, the method continues from the state of the earlier policy.
   */
  async stateOf({ metadata }: CompletePolicy): Promise<RolloutState> {
    const { name = '', uid = '' } = metadata ?? {};
    const { state } = this.#context;
    const known = state.promotions.get(name);
    if (known?.uid === uid) return known;
    const kept = known ?? (await this.#states.read(name));
    const { cluster } = this.#context;
    const first = firstState({
      policy: name,
      uid,
      kept,
      enforced: enforcedSpecs(cluster.rendered()).get(name),
      excluded: state.policies.excluded,
      namespaces: cluster.namespaces(),
      now: state.now(),
    });
    if (kept && first.begun) state.promotions.wereLabelled(name, first);
    return first;
  }

  /**
   * Saves the state. @returns the API server's answer if it refuses the ConfigMap
   * @throws the client's error if the error may be temporary
   */
  async write(policy: string, state: RolloutState): Promise<string | undefined> {
    try {
      await this.#states.write(policy, state);
      return undefined;
    } catch (error) {
      if (!(error instanceof ApiError) || isConflict(error) || isOverloaded(error) || error.status >= 500) throw error;
      return error.message;
    }
  }

  /**
   * Keeps the rollout state of a policy that is currently not enforced. The rollout later continues from this state, so
   * that no namespace becomes pending again.
   * @throws the client's error
   */
  async rest({ metadata }: CompletePolicy): Promise<false> {
    const { name = '', uid = '' } = metadata ?? {};
    const known = this.#context.state.promotions.get(name);
    const kept = known ?? (await this.#states.read(name));
    if (!kept || !(kept.begun || kept.inForce || kept.labelling || kept.deleted)) return false;
    const { deleted: _, ...rested } = this.#resting(name, kept);
    await this.#states.write(name, { ...rested, uid });
    return false;
  }

  /**
   * Keeps the state of a deleted policy. If the policy is restored or created again, its rollout continues from this
   * state. A state that was kept long enough is deleted.
   * @returns whether the state was kept long enough
   * @throws the client's error
   */
  async retire(name: string): Promise<boolean> {
    const kept = this.#context.state.promotions.get(name) ?? (await this.#states.read(name));
    if (!kept || this.#context.cluster.policy(name)) return false;
    const now = this.#context.state.now();
    const retired = kept.deleted === undefined ? { ...this.#resting(name, kept), deleted: now } : kept;
    const isOver = now - (retired.deleted ?? now) > KEPT_MS;
    if (isOver || isUnbegun(retired)) await this.#states.remove(name);
    else if (retired !== kept) await this.#states.write(name, retired);
    return isOver;
  }

  /** The names of the deleted policies with a saved state. @throws the client's error */
  async retired(): Promise<string[]> {
    return (await this.#states.policies()).filter((name) => !this.#context.cluster.policy(name));
  }

  /** Deletes the state of a policy that is enforced everywhere. @returns true @throws the client's error */
  async remove(policy: string): Promise<true> {
    await this.#states.remove(policy);
    return true;
  }

  #resting(name: string, kept: RolloutState): RolloutState {
    return resting(kept, enforcedSpecs(this.#context.cluster.rendered()).get(name)?.namespaceSelector);
  }
}
