/** Saves the states of rollouts. A saved state is not lost when a term ends, or while a policy rests. */
import type { CompletePolicy } from '../api/capability-policy.ts';
import type { ApiClient } from '../cluster/client.ts';
import type { Cluster } from '../model/objects.ts';
import { firstState } from '../promotion/first-state.ts';
import type { Rollouts } from '../promotion/rollouts.ts';
import { type RolloutState, resting } from '../promotion/state.ts';
import { enforcedSpecs } from '../state/accepted-specs.ts';
import { RolloutStates } from './rollout-states.ts';

interface Context {
  readonly client: ApiClient;
  readonly cluster: Pick<Cluster, 'rendered' | 'namespaces'>;
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
   * reads the saved state. If no state is saved, the method derives the state from the enforced part and the labels.
   */
  async stateOf({ metadata }: CompletePolicy): Promise<RolloutState> {
    const { name = '', uid = '' } = metadata ?? {};
    const { state } = this.#context;
    const known = state.promotions.get(name);
    if (known?.uid === uid) return known;
    const kept = await this.#states.read(name, uid);
    const { cluster } = this.#context;
    const first = firstState({
      policy: name,
      uid,
      kept,
      enforced: enforcedSpecs(cluster.rendered()).get(uid),
      excluded: state.policies.excluded,
      namespaces: cluster.namespaces(),
      now: state.now(),
    });
    if (kept && first.begun) state.promotions.wereLabelled(name, first);
    return first;
  }

  /** @throws the client's error */
  async write(policy: string, state: RolloutState): Promise<void> {
    await this.#states.write(policy, state);
  }

  /**
   * Keeps the rollout state of a policy that is currently not enforced. The rollout later continues from this state, so
   * that no namespace becomes pending again.
   * @throws the client's error
   */
  async rest({ metadata }: CompletePolicy): Promise<void> {
    const { name = '', uid = '' } = metadata ?? {};
    const known = this.#context.state.promotions.get(name);
    const kept = known?.uid === uid ? known : await this.#states.read(name, uid);
    if (!kept || !(kept.begun || kept.inForce || kept.labelling)) return;
    const existingSelector = enforcedSpecs(this.#context.cluster.rendered()).get(uid)?.namespaceSelector;
    await this.#states.write(name, resting(kept, existingSelector));
  }

  /** Deletes the state of a deleted policy, or of a policy that is enforced everywhere. @throws the client's error */
  async remove(policy: string, uid: string | undefined): Promise<void> {
    await this.#states.remove(policy, uid);
  }
}
