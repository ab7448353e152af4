/** Writes Events about repairs, and repeated Events. No other work waits for these Events. */
import type { Context, Controller, Key } from './controller.ts';
import type { StateChange } from './state-change.ts';

const ALL = ['all'];

export class Events implements Controller {
  readonly name = 'events';
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  keysFor({ cause }: StateChange): Iterable<Key> {
    const due = cause.of === 'events' || cause.of === 'term';
    return due && this.#context.recorder.dueMs !== undefined ? ALL : [];
  }

  delay(): number {
    return this.#context.recorder.dueMs ?? 0;
  }

  async reconcile(_key: Key, again: (ms: number) => void): Promise<void> {
    const { recorder, log } = this.#context;
    for (const error of await recorder.tellWaiting()) log.warn('an Event was refused', { error });
    await recorder.tellSeries();
    if (recorder.dueMs !== undefined) again(recorder.dueMs);
  }
}
