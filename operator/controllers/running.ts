/** Runs the controllers. Every controller has its own queue. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Cooldown } from '../runtime/cooldown.ts';
import type { Log } from '../runtime/log.ts';
import { type QueueObserver, WorkQueue } from '../runtime/queue.ts';
import { Settling } from '../runtime/settling.ts';
import { Turns } from '../runtime/turns.ts';
import type { ClusterState } from './cluster-state.ts';
import type { Controller } from './controller.ts';
import type { StateChange } from './state-change.ts';

/** The queue for compiling has only this key, because all policies are compiled together. */
const ALL = 'all';
/**
 * The wait for more changes. If one file contains a policy and its exception, the policy and the exception arrive as
 * two changes. The 200 policies of a large file arrive one after the other.
 */
const SETTLES = { quietMs: 300, mostMs: 10_000 };

export interface RunningOptions {
  readonly log: Log;
  /** Makes the observer of a controller's queue. */
  readonly observeQueue?: (controller: string) => QueueObserver;
  /** Reads the data that compiling needs in addition to the followed objects. */
  readonly beforeAccept?: () => Promise<void>;
}

export class Running {
  readonly #state: ClusterState;
  readonly #options: RunningOptions;
  readonly #queues: readonly (readonly [Controller, WorkQueue])[];
  readonly #turns = new Turns();
  /**
   * The cooldown of compiling. If somebody applies several policies one after the other, the cooldown makes the
   * operator compile them together.
   */
  readonly #cooldown = new Cooldown({ times: 4, mostMs: 500 });
  readonly #settling = new Settling(SETTLES);
  #accepting: Promise<void> | undefined;
  #stopped = false;

  constructor(controllers: readonly Controller[], state: ClusterState, options: RunningOptions) {
    this.#state = state;
    this.#options = options;
    this.#queues = controllers.map((one) => [one, this.#newQueue(one)]);
  }

  enqueue(change: StateChange): void {
    const { cause, recompiles } = change;
    if (recompiles && cause.of === 'policy') this.#settling.changed();
    // At the start of a term, compiling does not wait for more edits. No edit caused this compilation. Any object in
    // the cluster may be wrong, so the compilation is urgent.
    if (cause.of === 'term' || (cause.of === 'servers' && cause.oldest)) this.#settling.hurry();
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

  /** Stops all queues. The promise resolves when the running work has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#settling.hurry();
    await Promise.all(this.#queues.map(([, queue]) => queue.stop()));
  }

  #newQueue(controller: Controller): WorkQueue {
    const { name, concurrency = 1 } = controller;
    const { log, observeQueue } = this.#options;
    const onError = (key: string, error: unknown, failures: number) =>
      log.warn('reconciling failed, trying again', { controller: name, key, failures, error });
    const work = async (key: string) => {
      while (this.#state.policies.isStale && !this.#stopped) {
        this.#accepting ??= this.#accept().finally(() => {
          this.#accepting = undefined;
        });
        await this.#accepting;
      }
      if (!this.#stopped) await controller.reconcile(key, (ms) => queue.addAfter(key, ms));
    };
    const queue = new WorkQueue(work, { concurrency, onError, ...(observeQueue && { observer: observeQueue(name) }) });
    return queue;
  }

  async #accept(): Promise<void> {
    await sleep(this.#cooldown.left(ALL));
    await this.#settling.settled();
    await this.#options.beforeAccept?.();
    // If a change arrives during compiling, the wait for more changes starts again.
    const goesOn = () => !this.#stopped && this.#settling.isSettled;
    const done = await this.#turns.run(this.#state.accepting(), goesOn);
    if (!done) return;
    this.#settling.begin();
    this.#cooldown.start(ALL, done.spentMs);
    this.enqueue(done.result);
  }
}
