/**
 * Waits until everything that the operator wrote for deleted policies is gone from the cluster. The controller then
 * removes the operator's finalizer from each object whose deletion waits for the withdrawal.
 */
import { leftovers, release } from '../apply/withdrawal.ts';
import type { FinalizingView } from '../model/objects.ts';
import type { Context, Controller, Key } from './controller.ts';
import type { StateChange } from './state-change.ts';

const ALL = ['all'];
const LOOK_AGAIN_MS = 500;
/**
 * The time in ms between two log entries about waiting deletions. Each entry names the objects and labels that must be
 * removed first.
 */
const LOG_AGAIN_MS = 30_000;

export interface Finalizing {
  /** The objects whose deletion waits for the withdrawal. */
  finalizing(): readonly FinalizingView[];
  /**
   * Reads policies, namespaces and rendered objects again. @throws the signal's reason, if the signal is aborted
   * earlier
   */
  refresh(signal: AbortSignal): Promise<void>;
}

export class Withdrawal implements Controller {
  readonly name = 'withdrawal';
  readonly #context: Context;
  readonly #followed: Finalizing;
  #loggedAt = Number.NEGATIVE_INFINITY;

  constructor(context: Context, followed: Finalizing) {
    this.#context = context;
    this.#followed = followed;
  }

  keysFor({ cause }: StateChange): Iterable<Key> {
    return cause.of === 'finalizing' || cause.of === 'term' ? ALL : [];
  }

  async reconcile(_key: Key, again: (ms: number) => void): Promise<void> {
    const { client, state, log, signal } = this.#context;
    if (this.#followed.finalizing().length === 0) return;
    // The watch of policies may lag behind the watch that showed the deletion. Before policies count as gone, the
    // controller therefore reads everything again.
    if (this.#isClean()) {
      await this.#followed.refresh(signal).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
    }
    if (signal.aborted) return;
    if (state.policies.isStale || !this.#isClean()) {
      again(LOOK_AGAIN_MS);
      return;
    }
    for (const object of this.#followed.finalizing()) {
      await release(client, object);
      log.info('removed the finalizer: nothing of the deleted policies is left', {
        kind: object.kind,
        name: object.name,
      });
    }
  }

  #isClean(): boolean {
    const { cluster, state, log } = this.#context;
    const isRefused = state.outcomes.programs.values().some((outcome) => outcome.state === 'Failed');
    const { compiled } = state.policies;
    const left = leftovers({
      cluster,
      compiled,
      isRefused,
      wantedLabels: (namespace) => state.wantedLabels(namespace),
    });
    if (left.length > 0 && performance.now() - this.#loggedAt >= LOG_AGAIN_MS) {
      this.#loggedAt = performance.now();
      const objects = this.#followed.finalizing().map(({ kind, name }) => `${kind}/${name}`);
      log.info('the deletion waits until nothing of the deleted policies is left', {
        objects,
        left: left.length,
        first: left[0],
      });
    }
    return left.length === 0;
  }
}
