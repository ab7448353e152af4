/**
 * A work queue of keys, with the semantics of client-go's workqueue. A key waits at most once, and two workers never
 * process a key at the same time. If a key is added while a worker processes the key, the key is processed once more.
 * If the work for a key fails, the key is requeued after an exponential delay with jitter. If the error has
 * `retryAfterSeconds`, the delay is at least that long.
 */
import { askedMs } from './retry-after.ts';

export interface QueueOptions {
  /** The number of keys that the queue processes in parallel. The default is 1. */
  readonly concurrency?: number;
  /** The delay after a key's first failure. The delay doubles with each further failure, up to `maxDelayMs`. */
  readonly firstDelayMs?: number;
  readonly maxDelayMs?: number;
  /** The queue calls this function on each failure, with the number of failures in a row. */
  readonly onError?: (key: string, error: unknown, failures: number) => void;
  /** Returns a random number in [0, 1) for the jitter of delays. */
  readonly random?: () => number;
  /**
   * The observer for metrics. The queue calls the observer synchronously on each event. The observer must not throw.
   */
  readonly observer?: QueueObserver;
}

/**
 * Receives the events of keys. For every key, the queue calls `added`, `began` and `ended`. For a dropped key, the
 * queue calls `added` and `dropped` instead.
 */
export interface QueueObserver {
  /** The key begins to wait. */
  added(key: string): void;
  began(key: string): void;
  ended(key: string, success: boolean): void;
  /** The work for the key failed, and the key will be requeued. */
  retried(key: string): void;
  /** The key no longer waits, because the queue was stopped. */
  dropped(key: string): void;
}

const NOBODY: QueueObserver = { added() {}, began() {}, ended() {}, retried() {}, dropped() {} };

interface Timer {
  readonly handle: NodeJS.Timeout;
  readonly due: number;
}

export class WorkQueue {
  readonly #work: (key: string) => Promise<void>;
  readonly #options: Required<QueueOptions>;
  /** The keys to process. A dirty key waits for a worker, or was added again while a worker was processing the key. */
  readonly #dirty = new Set<string>();
  readonly #processing = new Map<string, Promise<void>>();
  readonly #failures = new Map<string, number>();
  readonly #timers = new Map<string, Timer>();
  #started = false;
  #stopped = false;

  /** @param work does all work for a key. If the promise of `work` rejects, the queue requeues the key */
  constructor(work: (key: string) => Promise<void>, options: QueueOptions = {}) {
    this.#work = work;
    this.#options = {
      concurrency: 1,
      firstDelayMs: 200,
      maxDelayMs: 60_000,
      onError: () => {},
      random: Math.random,
      observer: NOBODY,
      ...options,
    };
  }

  /** The number of keys that wait for a worker. Keys that wait for the end of a delay do not count. */
  get length(): number {
    return this.#dirty.size;
  }

  /** Begins to work. The queue keeps keys that were added before the start. */
  start(): void {
    this.#started = true;
    this.#fill();
  }

  add(key: string): void {
    if (this.#stopped) return;
    if (!this.#dirty.has(key)) this.#options.observer.added(key);
    this.#dirty.add(key);
    this.#fill();
  }

  /** Adds `key` after `ms` milliseconds. If a key is added several times, the queue uses the earliest due time. */
  addAfter(key: string, ms: number): void {
    if (this.#stopped) return;
    const due = Date.now() + ms;
    const timer = this.#timers.get(key);
    if (timer && timer.due <= due) return;
    clearTimeout(timer?.handle);
    const handle = setTimeout(() => {
      this.#timers.delete(key);
      this.add(key);
    }, ms);
    this.#timers.set(key, { handle, due });
  }

  /** Accepts no more work, drops waiting keys, and resolves when the running work has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const { handle } of this.#timers.values()) clearTimeout(handle);
    this.#timers.clear();
    for (const key of this.#dirty) this.#options.observer.dropped(key);
    this.#dirty.clear();
    await Promise.all(this.#processing.values());
  }

  #fill(): void {
    if (!this.#started) return;
    for (const key of this.#dirty) {
      if (this.#processing.size >= this.#options.concurrency) return;
      if (this.#processing.has(key)) continue;
      this.#dirty.delete(key);
      this.#options.observer.began(key);
      this.#processing.set(key, this.#process(key));
    }
  }

  async #process(key: string): Promise<void> {
    // Work never starts in the stack of the caller of `add`, because `add` only adds the key to the queue.
    await Promise.resolve();
    let success = false;
    try {
      await this.#work(key);
      this.#failures.delete(key);
      success = true;
    } catch (error) {
      this.#retry(key, error);
    } finally {
      this.#processing.delete(key);
      this.#options.observer.ended(key, success);
      this.#fill();
    }
  }

  #retry(key: string, error: unknown): void {
    const { firstDelayMs, maxDelayMs, random, onError, observer } = this.#options;
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    onError(key, error, failures);
    if (!this.#stopped) observer.retried(key);
    const delay = Math.min(firstDelayMs * 2 ** (failures - 1), maxDelayMs);
    this.addAfter(key, Math.max(delay * (0.75 + random() / 2), askedMs(error)));
  }
}
