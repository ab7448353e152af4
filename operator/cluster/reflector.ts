/**
 * Follows one collection of the API. A reflector first reads all existing objects. After the existing objects, the
 * reflector reads events. The reflector never stops by itself.
 *
 * After an interrupted watch, the reflector resumes from the last resourceVersion. If the server no longer knows this
 * resourceVersion (410), the reflector reads the collection again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../runtime/log.ts';
import type { ReflectorObserver } from '../runtime/metrics.ts';
import { askedMs } from '../runtime/retry-after.ts';
import { ApiError, isExpired, isForbidden, isNotFound, isOverloaded, pathFor } from './client.ts';
import { type Reader, Reading, type Source } from './reading.ts';
import type { Sink } from './sink.ts';
import { Trouble } from './trouble.ts';

interface ReflectorOptions {
  readonly log: Log;
  /** The time in seconds after which the server ends a watch. The actual time varies a little. */
  readonly watchSeconds?: number;
  /** The time in ms between two requests for a missing optional kind. */
  readonly absentMs?: number;
  readonly observer?: ReflectorObserver;
}

const FIRST_DELAY_MS = 200;
const LAST_DELAY_MS = 30_000;
/**
 * The delay between two requests for a kind that the server does not serve yet. The kind appears when a person installs
 * the CRD. The delay is short, because a person who installs a CRD waits for the result.
 */
const ABSENT_DELAY_MS = 2_000;
/**
 * The delay between two requests for a kind that this version of the server lacks. The kind appears only after an
 * upgrade of the server.
 */
const OPTIONAL_DELAY_MS = 60_000;
/**
 * After this number of refusals, the reflector lists the collection again. A server may refuse a watch for a reason
 * other than overload or an expired resourceVersion. An unusable resourceVersion may cause the refusal even if the
 * server gives another reason.
 */
const MOST_REFUSALS = 3;

/**
 * Passes objects and events to its sink until its signal is aborted. The reflector waits after an error. If the same
 * error occurs several times in a row, the reflector logs the error once.
 */
export class Reflector {
  readonly #source: Source;
  readonly #sink: Sink;
  readonly #signal: AbortSignal;
  readonly #log: Log;
  readonly #trouble: Trouble;
  readonly #absentMs: number;
  readonly #observer: ReflectorObserver | undefined;
  readonly #path: string;
  readonly #reading: Reading;
  #failures = 0;
  /** How many times in a row the server has refused to continue from the last resourceVersion. */
  #refusals = 0;
  /** Ends the running request, so that the collection is read again. */
  #anew = new AbortController();
  #ending: AbortSignal;
  #refreshed: PromiseWithResolvers<void> | undefined;

  constructor(client: Reader, source: Source, sink: Sink, signal: AbortSignal, options: ReflectorOptions) {
    this.#source = source;
    this.#sink = sink;
    this.#signal = signal;
    this.#ending = AbortSignal.any([signal, this.#anew.signal]);
    this.#log = options.log.child({ kind: source.kind });
    this.#trouble = new Trouble(this.#log);
    this.#absentMs = options.absentMs ?? OPTIONAL_DELAY_MS;
    this.#observer = options.observer;
    this.#path = pathFor(source.apiVersion, source.kind);
    this.#reading = new Reading(client, source, sink, {
      log: this.#log,
      watchSeconds: options.watchSeconds ?? 300,
      heard: () => this.#observer?.heard(source.kind),
      listed: () => {
        this.#whenRead();
        this.#observer?.listed(source.kind);
      },
      healthy: () => {
        this.#trouble.over();
        this.#failures = 0;
        this.#refusals = 0;
      },
    });
  }

  /**
   * Reads the collection again, even if a watch is running. A watch that seems to work may lag far behind.
   *
   * @returns a promise that resolves when the collection has been read. If a read fails, the promise waits for the next
   * read
   */
  refresh(): Promise<void> {
    this.#refreshed ??= Promise.withResolvers();
    this.#anew.abort();
    return this.#refreshed.promise;
  }

  async run(): Promise<void> {
    while (!this.#signal.aborted) {
      if (this.#anew.signal.aborted) this.#beginAnew();
      let delay: number | undefined;
      let least = 0;
      try {
        await this.#reading.goOn(this.#ending);
      } catch (error) {
        if (!this.#ending.aborted) delay = this.#explain(error);
        least = askedMs(error);
      }
      if (this.#anew.signal.aborted) continue;
      await this.#pause(delay ?? Math.min(FIRST_DELAY_MS * 2 ** this.#failures++, LAST_DELAY_MS), least);
    }
  }

  #beginAnew(): void {
    this.#anew = new AbortController();
    this.#ending = AbortSignal.any([this.#signal, this.#anew.signal]);
    this.#reading.version = undefined;
    this.#failures = 0;
  }

  /**
   * Decides what to log about an error, and whether to list the collection again. If the usual delay does not suit the
   * error, the function returns the delay to use instead.
   */
  #explain(error: unknown): number | undefined {
    if (isNotFound(error)) return this.#absent();
    if (this.#source.dispensable && isForbidden(error)) return this.#forbidden(error);
    if (isExpired(error)) {
      this.#log.info('resourceVersion expired, listing again', { resourceVersion: this.#reading.version });
      this.#reading.version = undefined;
      return undefined;
    }
    this.#trouble.report('watch interrupted, trying again', { error });
    if (error instanceof ApiError && !isOverloaded(error) && ++this.#refusals === MOST_REFUSALS) {
      this.#reading.version = undefined;
      this.#refusals = 0;
    }
    return undefined;
  }

  #absent(): number {
    this.#reading.version = undefined;
    if (this.#source.optional) {
      this.#tellAbsent();
      return this.#absentMs;
    }
    this.#trouble.report('the API server does not serve this kind yet, waiting for it', { path: this.#path });
    return ABSENT_DELAY_MS;
  }

  #forbidden(error: unknown): number {
    this.#reading.version = undefined;
    this.#trouble.report('no right to read this kind, continuing without it', { path: this.#path, error });
    this.#tellAbsent();
    return this.#absentMs;
  }

  #whenRead(): void {
    if (this.#anew.signal.aborted) return;
    this.#refreshed?.resolve();
    this.#refreshed = undefined;
  }

  #tellAbsent(): void {
    this.#whenRead();
    this.#observer?.heard(this.#source.kind);
    if (this.#sink.absent) {
      this.#sink.absent();
      return;
    }
    this.#sink.listing();
    this.#sink.listed();
  }

  async #pause(ms: number, least: number): Promise<void> {
    const jittered = Math.max(ms * (0.75 + Math.random() / 2), least);
    // `sleep` rejects only when the signal is aborted. After the signal is aborted, the reflector does not need to
    // wait.
    await sleep(jittered, undefined, { signal: this.#ending }).catch(() => {});
  }
}
