/**
 * Follows one collection of the API: all that is there, then all that happens, for ever.
 *
 * Where the server offers it, both come in one stream (KEP-3157): no list is ever put together, by neither side. Else
 * the collection is listed page by page and watched from there. No item is kept here: each goes to the sink as soon as
 * it is decoded. Where the watch breaks it goes on from the last resourceVersion; where the server no longer knows that
 * one (410) the collection is read again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../runtime/log.ts';
import type { ReflectorObserver } from '../runtime/metrics.ts';
import { askedMs } from '../runtime/retry-after.ts';
import {
  type ApiClient,
  ApiError,
  isExpired,
  isInvalid,
  isNotFound,
  isOverloaded,
  isSilence,
  pathFor,
  type Query,
  type ReadOptions,
  type WatchEvent,
} from './client.ts';
import type { RawObject, RawPage } from './raw.ts';
import type { Sink } from './sink.ts';
import { Trouble } from './trouble.ts';

/** What a reflector needs of a client. */
export type Reader = Pick<ApiClient, 'list' | 'watch'>;

export interface Source {
  readonly apiVersion: string;
  readonly kind: string;
  readonly labelSelector?: string;
  /** Whether somebody reads its managedFields. */
  readonly managedFields?: boolean;
  /** The server may not know the kind: then the collection is empty, and asked for again from time to time. */
  readonly optional?: boolean;
  /** Nobody reads more of it than its metadata. */
  readonly metadataOnly?: boolean;
}

export interface ReflectorOptions {
  readonly log: Log;
  /** The server ends a watch after so long, give or take. */
  readonly watchSeconds?: number;
  /** How often an optional kind is asked for that is not there. */
  readonly absentMs?: number;
  readonly observer?: ReflectorObserver;
}

const FIRST_DELAY_MS = 200;
const LAST_DELAY_MS = 30_000;
/** For a kind that a CRD will bring: somebody is waiting for it. */
const ABSENT_DELAY_MS = 2_000;
/** For a kind that only an upgrade of the server will bring. */
const OPTIONAL_DELAY_MS = 60_000;
/** A watch that lasted so long has worked, whatever ended it. */
const HEALTHY_MS = 10_000;
/**
 * A bookmark comes about every minute (k8s.io/apiserver, cacher.go, defaultBookmarkFrequency), but for a kind of which the
 * server has seen no event yet. A watch that says nothing for longer may be dead, though its connection is not.
 */
const MOST_SILENCE_MS = 150_000;
/** Not that the version has expired, nor that it is busy: as if there were something wrong with this watch. */
const MOST_REFUSALS = 3;
/** On the bookmark with which a stream's list ends (k8s.io/apimachinery, metav1.InitialEventsAnnotationKey). */
const END_OF_LIST = 'k8s.io/initial-events-end';

/** Feeds `sink` until `signal` is aborted. Errors are waited out, and logged once for as long as they stay the same. */
export function reflect(
  client: Reader,
  source: Source,
  sink: Sink,
  signal: AbortSignal,
  options: ReflectorOptions,
): Promise<void> {
  return new Reflector(client, source, sink, signal, options).run();
}

export class Reflector {
  readonly #client: Reader;
  readonly #source: Source;
  readonly #sink: Sink;
  readonly #signal: AbortSignal;
  readonly #log: Log;
  readonly #trouble: Trouble;
  readonly #watchSeconds: number;
  readonly #absentMs: number;
  readonly #observer: ReflectorObserver | undefined;
  readonly #path: string;
  /** Where the next watch starts; undefined when a list has to come first. */
  #version: string | undefined;
  /** Whether what a watch brings is still the list. */
  #listing = false;
  /** Unsupported: the server knows no streams that begin with the list. Broken: the last one did not reach its end. */
  #streams: 'Supported' | 'Unsupported' | 'Broken' = 'Supported';
  #failures = 0;
  /** How often the server itself refused to go on from `#version`, in a row. */
  #refusals = 0;
  /** Ends what is under way, so that the collection is read again. */
  #anew = new AbortController();
  #ending: AbortSignal;
  #refreshed: PromiseWithResolvers<void> | undefined;

  constructor(client: Reader, source: Source, sink: Sink, signal: AbortSignal, options: ReflectorOptions) {
    this.#client = client;
    this.#source = source;
    this.#sink = sink;
    this.#signal = signal;
    this.#ending = AbortSignal.any([signal, this.#anew.signal]);
    this.#log = options.log.child({ kind: source.kind });
    this.#trouble = new Trouble(this.#log);
    this.#watchSeconds = options.watchSeconds ?? 300;
    this.#absentMs = options.absentMs ?? OPTIONAL_DELAY_MS;
    this.#observer = options.observer;
    this.#path = pathFor(source.apiVersion, source.kind);
  }

  /**
   * Reads the collection again, whatever is under way: a watch that works as far as anybody can tell may be long behind.
   *
   * @returns what resolves when it has been read, and never when it cannot be
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
        if (this.#version === undefined) await this.#begin();
        else await this.#watch({ resourceVersion: this.#version });
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
    this.#version = undefined;
    this.#failures = 0;
  }

  async #begin(): Promise<void> {
    this.#sink.listing();
    if (this.#streams === 'Supported' && (await this.#stream())) return;
    this.#version = await this.#list();
    if (this.#ending.aborted) return;
    if (this.#streams === 'Broken') this.#streams = 'Supported';
    await this.#watch({ resourceVersion: this.#version });
  }

  /** Resolves to false when the server has no such streams. */
  async #stream(): Promise<boolean> {
    this.#listing = true;
    try {
      await this.#watch({ sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' });
    } catch (error) {
      if (!isInvalid(error) || !this.#listing) throw error;
      this.#streams = 'Unsupported';
      return false;
    } finally {
      // The server drops a stream whose reader falls behind what happens meanwhile, and would drop the next one as well:
      // pages can be read at any pace.
      if (this.#listing && this.#streams === 'Supported') this.#streams = 'Broken';
      this.#listing = false;
    }
    return true;
  }

  async #list(): Promise<string> {
    const query = { labelSelector: this.#source.labelSelector };
    const onPage = (page: RawPage) => {
      for (const item of page.items ?? []) this.#hand(item, (raw) => this.#sink.put(raw));
    };
    const version = await this.#client.list(this.#path, query, onPage, this.#reading());
    this.#listed();
    return version;
  }

  async #watch(from: Query): Promise<void> {
    const started = performance.now();
    // Spread, so that the watches of all kinds do not end together.
    const timeoutSeconds = Math.round(this.#watchSeconds * (1 + Math.random() / 2));
    const query = {
      labelSelector: this.#source.labelSelector,
      allowWatchBookmarks: true,
      ...from,
      timeoutSeconds,
    };
    // Of some kinds there is nothing to say, and no bookmark comes either: that the server takes up a watch has to do.
    const onBegin = () => this.#observer?.heard(this.#source.kind);
    const options = { ...this.#reading(), idleMs: MOST_SILENCE_MS, onBegin };
    try {
      await this.#client.watch(this.#path, query, (event) => this.#take(event), options);
    } catch (error) {
      if (!isSilence(error) || this.#listing) throw error;
      this.#log.debug('a watch was silent for too long, starting another one');
    } finally {
      if (!this.#listing && performance.now() - started >= HEALTHY_MS) this.#healthy();
    }
  }

  #reading(): ReadOptions {
    const { managedFields = false, metadataOnly = false } = this.#source;
    return { signal: this.#ending, managedFields, metadataOnly };
  }

  #take({ type, object }: WatchEvent): void {
    // Of a watch that was given up.
    if (this.#anew.signal.aborted) return;
    this.#observer?.heard(this.#source.kind);
    const { resourceVersion, annotations } = object.metadata ?? {};
    if (type === 'DELETED') this.#hand(object, (raw) => this.#sink.remove(raw));
    else if (type !== 'BOOKMARK') this.#hand(object, (raw) => this.#sink.put(raw));
    else if (this.#listing && annotations?.[END_OF_LIST] === 'true') {
      this.#listing = false;
      this.#listed();
    }
    // A list comes in the order of names: before its end, no version says what is still to come.
    if (this.#listing) return;
    this.#version = resourceVersion ?? this.#version;
    this.#healthy();
  }

  #listed(): void {
    this.#sink.listed();
    this.#whenRead();
    this.#observer?.listed(this.#source.kind);
  }

  /** One object that cannot be taken must not stop the others. */
  #hand(item: RawObject, take: (raw: RawObject) => void): void {
    const { apiVersion, kind } = this.#source;
    try {
      take({ apiVersion, kind, ...item });
    } catch (error) {
      const { namespace, name } = item.metadata ?? {};
      this.#log.error('object skipped', { namespace, name, error });
    }
  }

  #healthy(): void {
    this.#trouble.over();
    this.#failures = 0;
    this.#refusals = 0;
  }

  /** Decides what an error means: whether to list again, what to log, how long to wait if that is a special case. */
  #explain(error: unknown): number | undefined {
    if (isNotFound(error)) return this.#absent();
    if (isExpired(error)) {
      this.#log.info('resourceVersion expired, listing again', { resourceVersion: this.#version });
      this.#version = undefined;
      return undefined;
    }
    this.#trouble.report('following interrupted, trying again', { error });
    if (error instanceof ApiError && !isOverloaded(error) && ++this.#refusals === MOST_REFUSALS) {
      this.#version = undefined;
      this.#refusals = 0;
    }
    return undefined;
  }

  #absent(): number {
    this.#version = undefined;
    if (this.#source.optional) {
      this.#tellAbsent();
      return this.#absentMs;
    }
    this.#trouble.report('the API server does not serve this kind yet, waiting for it', { path: this.#path });
    return ABSENT_DELAY_MS;
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
    // Rejects only when aborted, and then there is nothing to wait for.
    await sleep(jittered, undefined, { signal: this.#ending }).catch(() => {});
  }
}
