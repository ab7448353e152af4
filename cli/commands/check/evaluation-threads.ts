/**
 * Manages the threads that parse and evaluate documents. A check spends most of its time on parsing and evaluating
 * documents. The main thread splits the text into documents, and prints the results. When all threads have enough work,
 * the main thread evaluates documents, too. The results are in the order of the documents.
 */
import { availableParallelism } from 'node:os';
import { getAsset, isSea } from 'node:sea';
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import {
  type EvaluatedBatch,
  evaluateBatch,
  type ResultListener,
  repeatCalls,
} from '../../../analysis/check/evaluated-piece.ts';
import type { ManifestEvaluator } from '../../../analysis/check/manifest-evaluator.ts';
import type { FilePiece } from '../../../analysis/manifests/document-objects.ts';
import type { EvaluationInput } from './evaluation-thread.ts';

/** The maximum number of threads, including the main thread. Each thread has its own heap of about 80 MB. */
const MOST_THREADS = 4;
/**
 * The size of a batch in characters. With smaller batches, threads wait for each other more often. With larger batches,
 * some threads have no work at the end.
 */
const BATCH = 256 * 1024;
/**
 * The maximum number of batches in the queue of one thread. With a queue, the thread has work even while the main
 * thread is busy with a batch of its own.
 */
const MOST_ASKED = 3;
/**
 * The maximum total size of the batches whose results are not yet reported, in characters. A single document may be
 * longer than the maximum.
 */
const MOST_WAITING = 4 * 1024 * 1024;

/**
 * The name of the thread's script. In a bundle of cappol, the script is a file. In a single executable of cappol, the
 * script is an asset.
 */
const SCRIPT = 'evaluation-thread';

interface Batch {
  readonly pieces: readonly FilePiece[];
  readonly size: number;
}

interface Waiting {
  readonly size: number;
  readonly evaluated: Promise<EvaluatedBatch>;
  isEvaluated: boolean;
}

export class EvaluationThreads {
  readonly #threads: readonly EvaluationThread[];
  readonly #batchSize: number;
  readonly #waiting: Waiting[] = [];
  #size = 0;

  /** @param count the number of threads, at least 1 @param batchSize the size of a batch in characters */
  constructor(count: number, batchSize: number = BATCH) {
    this.#threads = Array.from({ length: count }, () => new EvaluationThread());
    this.#batchSize = batchSize;
  }

  /**
   * Starts the threads. On a machine with one core, no thread is started, and the result is undefined. The reason is
   * that threads would only take turns on a single core.
   */
  static start(): EvaluationThreads | undefined {
    const count = Math.min(availableParallelism(), MOST_THREADS) - 1;
    return count > 0 ? new EvaluationThreads(count) : undefined;
  }

  begin(input: EvaluationInput): void {
    for (const thread of this.#threads) thread.begin(input);
  }

  /** @returns whether the documents contained an object or a problem */
  async evaluate(pieces: AsyncIterable<FilePiece>, own: ManifestEvaluator, listener: ResultListener): Promise<boolean> {
    let found = false;
    const next = async () => {
      if (await this.#next(listener)) found = true;
    };
    for await (const batch of batchesOf(pieces, this.#batchSize)) {
      while (this.#waiting.length > 0 && this.#size + batch.size > MOST_WAITING) await next();
      await this.#begin(batch, own);
      while (this.#waiting[0]?.isEvaluated) await next();
    }
    while (this.#waiting.length > 0) await next();
    return found;
  }

  async end(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.end()));
  }

  /** Gives the batch to a thread, or evaluates the batch on the main thread. */
  async #begin({ pieces, size }: Batch, own: ManifestEvaluator): Promise<void> {
    const [idlest] = this.#threads.toSorted((a, b) => a.waiting - b.waiting) as [EvaluationThread];
    if (idlest.waiting < MOST_ASKED) {
      this.#wait(idlest.evaluate(pieces), size);
      return;
    }
    this.#wait(Promise.resolve(evaluateBatch(pieces, own)), size);
    // Lets the main thread receive the answers that arrived while the main thread was busy.
    await setImmediate();
  }

  #wait(evaluated: Promise<EvaluatedBatch>, size: number): void {
    const waiting: Waiting = { size, evaluated, isEvaluated: false };
    const end = () => {
      waiting.isEvaluated = true;
    };
    // If the evaluation of a batch fails, the error is thrown later, when the main thread reads the results of the
    // batch.
    evaluated.then(end, end);
    this.#waiting.push(waiting);
    this.#size += size;
  }

  async #next(listener: ResultListener): Promise<boolean> {
    const { size, evaluated } = this.#waiting.shift() as Waiting;
    const { calls, found } = await evaluated;
    this.#size -= size;
    repeatCalls(calls, listener);
    return found;
  }
}

async function* batchesOf(pieces: AsyncIterable<FilePiece>, batchSize: number): AsyncGenerator<Batch> {
  let batch: FilePiece[] = [];
  let size = 0;
  for await (const piece of pieces) {
    batch.push(piece);
    size += piece.text.length;
    if (size < batchSize) continue;
    yield { pieces: batch, size };
    batch = [];
    size = 0;
  }
  if (batch.length > 0) yield { pieces: batch, size };
}

/** A single evaluation thread. A thread returns the results of its batches in the order of the batches. */
class EvaluationThread {
  readonly #worker = startWorker();
  readonly #asked: PromiseWithResolvers<EvaluatedBatch>[] = [];
  #failure: Error | undefined;

  constructor() {
    this.#worker.on('message', (evaluated: EvaluatedBatch) => this.#asked.shift()?.resolve(evaluated));
    this.#worker.on('error', (error) => this.#fail(error));
    // A thread ends by itself only after an error.
    this.#worker.on('exit', (code) => this.#fail(new Error(`a thread ended with ${code}`)));
  }

  get waiting(): number {
    return this.#asked.length;
  }

  begin(input: EvaluationInput): void {
    this.#worker.postMessage(input);
  }

  evaluate(pieces: readonly FilePiece[]): Promise<EvaluatedBatch> {
    const asked = Promise.withResolvers<EvaluatedBatch>();
    if (this.#failure) return Promise.reject(this.#failure);
    this.#asked.push(asked);
    this.#worker.postMessage(pieces);
    return asked.promise;
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const asked of this.#asked.splice(0)) asked.reject(this.#failure);
  }
}

function startWorker(): Worker {
  if (isSea()) return new Worker(getAsset(SCRIPT, 'utf8'), { eval: true });
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'mjs';
  return new Worker(new URL(`./${SCRIPT}.${extension}`, import.meta.url));
}
