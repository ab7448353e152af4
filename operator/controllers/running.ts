/** Running controllers, each with its own queue. */

import type { Log } from '../runtime/log.ts';
import { type QueueObserver, WorkQueue } from '../runtime/queue.ts';
import type { ClusterState, StateChange } from './cluster-state.ts';
import type { Controller } from './controller.ts';

export interface RunningOptions {
  readonly log: Log;
  /** Makes the observer of a controller's queue. */
  readonly observeQueue?: (controller: string) => QueueObserver;
}

export class Running {
  readonly #state: ClusterState;
  readonly #options: RunningOptions;
  readonly #queues: readonly (readonly [Controller, WorkQueue])[];

  constructor(controllers: readonly Controller[], state: ClusterState, options: RunningOptions) {
    this.#state = state;
    this.#options = options;
    this.#queues = controllers.map((one) => [one, this.#newQueue(one)]);
  }

  enqueue(change: StateChange): void {
    for (const [controller, queue] of this.#queues) {
      for (const key of controller.keysFor(change)) {
        const ms = controller.delay?.(key, change) ?? 0;
        if (ms > 0) queue.addAfter(key, ms);
        else queue.add(key);
      }
    }
  }

  start(): void {
    for (const [, queue] of this.#queues) queue.start();
  }

  /** Resolves when the running work has ended. */
  async stop(): Promise<void> {
    await Promise.all(this.#queues.map(([, queue]) => queue.stop()));
  }

  #newQueue(controller: Controller): WorkQueue {
    const { name, concurrency = 1 } = controller;
    const { log, observeQueue } = this.#options;
    const onError = (key: string, error: unknown, failures: number) =>
      log.warn('work failed, will be tried again', { controller: name, key, failures, error });
    const work = async (key: string) => {
      if (this.#state.isStale) this.enqueue(this.#state.accept());
      await controller.reconcile(key, (ms) => queue.addAfter(key, ms));
    };
    const queue = new WorkQueue(work, { concurrency, onError, ...(observeQueue && { observer: observeQueue(name) }) });
    return queue;
  }
}
