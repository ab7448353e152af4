/**
 * Follows one collection of the API: a paginated list, then a watch from where the list ended, for ever.
 *
 * No item is kept here: each goes to the sink as soon as it is decoded. Where the watch breaks it goes on from the last
 * resourceVersion; where the server no longer knows that one (410) the collection is listed again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log, LogKeys } from '../runtime/log.ts';
import { type ApiClient, isExpired, isNotFound, pathFor, type WatchEvent } from './client.ts';
import type { RawObject, RawPage } from './raw.ts';

/** Takes what is read. Its calls come one after the other, and must only hand over: they hold up the reading. */
export interface Sink {
  /** A list begins: what is not put until `listed` does not exist. May be called again before `listed`. */
  listing(): void;
  put(raw: RawObject): void;
  remove(raw: RawObject): void;
  /** The list has been read; the first time, the sink is in step with the cluster. */
  listed(): void;
}

/** One sink that hands everything to several. */
export function together(sinks: readonly Sink[]): Sink {
  return {
    listing: () => sinks.forEach((sink) => void sink.listing()),
    put: (raw) => sinks.forEach((sink) => void sink.put(raw)),
    remove: (raw) => sinks.forEach((sink) => void sink.remove(raw)),
    listed: () => sinks.forEach((sink) => void sink.listed()),
  };
}

/** What a reflector needs of a client. */
export type Reader = Pick<ApiClient, 'list' | 'watch'>;

export interface Source {
  readonly apiVersion: string;
  readonly kind: string;
  readonly labelSelector?: string;
  /** The server may not know the kind: then the collection is empty, and asked for again from time to time. */
  readonly optional?: boolean;
}

export interface ReflectorOptions {
  readonly log: Log;
  /** The server ends a watch after so long, give or take; bounds how long a stalled one goes unnoticed. */
  readonly watchSeconds?: number;
}

const FIRST_DELAY_MS = 200;
const LAST_DELAY_MS = 30_000;
/** For a kind that a CRD will bring: somebody is waiting for it. */
const ABSENT_DELAY_MS = 2_000;
/** For a kind that only an upgrade of the server will bring. */
const OPTIONAL_DELAY_MS = 60_000;
/** A watch that lasted so long has worked, whatever ended it. */
const HEALTHY_MS = 10_000;
/** How much longer than the server's own limit a watch may stay silent. */
const GRACE_SECONDS = 30;

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

class Reflector {
  readonly #client: Reader;
  readonly #source: Source;
  readonly #sink: Sink;
  readonly #signal: AbortSignal;
  readonly #log: Log;
  readonly #watchSeconds: number;
  readonly #path: string;
  /** Where the next watch starts; undefined when a list has to come first. */
  #version: string | undefined;
  #failures = 0;
  #reported: string | undefined;

  constructor(client: Reader, source: Source, sink: Sink, signal: AbortSignal, options: ReflectorOptions) {
    this.#client = client;
    this.#source = source;
    this.#sink = sink;
    this.#signal = signal;
    this.#log = options.log.child({ kind: source.kind });
    this.#watchSeconds = options.watchSeconds ?? 300;
    this.#path = pathFor(source.apiVersion, source.kind);
  }

  async run(): Promise<void> {
    while (!this.#signal.aborted) {
      let delay: number | undefined;
      try {
        this.#version ??= await this.#list();
        await this.#watch(this.#version);
      } catch (error) {
        if (!this.#signal.aborted) delay = this.#explain(error);
      }
      await this.#pause(delay ?? Math.min(FIRST_DELAY_MS * 2 ** this.#failures++, LAST_DELAY_MS));
    }
  }

  async #list(): Promise<string> {
    this.#sink.listing();
    const query = { labelSelector: this.#source.labelSelector };
    const onPage = (page: RawPage) => {
      for (const item of page.items ?? []) this.#hand(item, (raw) => this.#sink.put(raw));
    };
    const version = await this.#client.list(this.#path, query, onPage, this.#signal);
    this.#sink.listed();
    return version;
  }

  async #watch(resourceVersion: string): Promise<void> {
    const started = performance.now();
    // Spread, so that the watches of all kinds do not end together.
    const timeoutSeconds = Math.round(this.#watchSeconds * (1 + Math.random() / 2));
    const query = {
      labelSelector: this.#source.labelSelector,
      allowWatchBookmarks: true,
      resourceVersion,
      timeoutSeconds,
    };
    const options = { signal: this.#signal, idleMs: (timeoutSeconds + GRACE_SECONDS) * 1000 };
    try {
      await this.#client.watch(this.#path, query, (event) => this.#take(event), options);
    } finally {
      if (performance.now() - started >= HEALTHY_MS) this.#healthy();
    }
  }

  #take({ type, object }: WatchEvent): void {
    if (type === 'DELETED') this.#hand(object, (raw) => this.#sink.remove(raw));
    else if (type !== 'BOOKMARK') this.#hand(object, (raw) => this.#sink.put(raw));
    this.#version = object.metadata?.resourceVersion ?? this.#version;
    this.#healthy();
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
    if (this.#reported !== undefined) this.#log.info('following again');
    this.#reported = undefined;
    this.#failures = 0;
  }

  /** Decides what an error means: whether to list again, what to log, how long to wait if that is a special case. */
  #explain(error: unknown): number | undefined {
    if (isNotFound(error)) return this.#absent();
    if (isExpired(error)) {
      this.#log.info('resourceVersion expired, listing again', { resourceVersion: this.#version });
      this.#version = undefined;
      return undefined;
    }
    this.#report('following interrupted, trying again', { error });
    return undefined;
  }

  #absent(): number {
    this.#version = undefined;
    if (this.#source.optional) {
      this.#sink.listing();
      this.#sink.listed();
      return OPTIONAL_DELAY_MS;
    }
    this.#report('the API server does not serve this kind yet, waiting for it', { path: this.#path });
    return ABSENT_DELAY_MS;
  }

  #report(message: string, keys: LogKeys): void {
    const report = `${message} ${Object.values(keys).join(' ')}`;
    if (report === this.#reported) return;
    this.#reported = report;
    this.#log.warn(message, keys);
  }

  async #pause(ms: number): Promise<void> {
    const jittered = ms * (0.75 + Math.random() / 2);
    // Rejects only when aborted, and then there is nothing to wait for.
    await sleep(jittered, undefined, { signal: this.#signal }).catch(() => {});
  }
}
