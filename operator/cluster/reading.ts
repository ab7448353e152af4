/**
 * Reads one collection of the API. The reader first reads the objects, and then the events.
 *
 * If the server supports streaming lists (KEP-3157), objects and events come in one stream. With a streaming list, the
 * server and the client do not assemble the whole list in memory. Without a streaming list, the reader first lists the
 * collection page by page. After the last page, the reader watches from the resourceVersion of the list. The reader
 * keeps no objects. The reader passes every object to the sink as soon as the object is decoded.
 */
import type { RawObject, RawPage } from '../model/raw.ts';
import type { Log } from '../runtime/log.ts';
import {
  type ApiClient,
  isInvalid,
  isSilence,
  pathFor,
  type Query,
  type ReadOptions,
  type WatchEvent,
} from './client.ts';
import type { Sink } from './sink.ts';

/** The part of a client that a reflector needs. */
export type Reader = Pick<ApiClient, 'list' | 'watch'>;

export interface Source {
  readonly apiVersion: string;
  readonly kind: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Whether the sink uses the managedFields of the objects. */
  readonly managedFields?: boolean;
  /**
   * Whether the reader accepts a server that does not serve the kind. A missing kind counts as an empty collection. The
   * kind is requested again from time to time.
   */
  readonly optional?: boolean;
  /**
   * Whether the reader also accepts that it may not read the kind. The role of an earlier release may lack the right.
   */
  readonly dispensable?: boolean;
  /** Whether the sink uses only the metadata of the objects. */
  readonly metadataOnly?: boolean;
}

interface ReadingOptions {
  readonly log: Log;
  /** The time in seconds after which the server ends a watch. The actual time varies a little. */
  readonly watchSeconds: number;
  /** The reader calls this function whenever the server has sent something. */
  heard(): void;
  /** The reader calls this function when it has read the whole collection. */
  listed(): void;
  /**
   * The reader calls this function when an event shows that the watch works, or when the watch has lasted long enough.
   */
  healthy(): void;
}

/** A watch that lasts for this time in ms counts as successful, even if the watch ends with an error. */
const HEALTHY_MS = 10_000;
/**
 * The maximum time in ms without any message on a watch. A bookmark comes about every minute (k8s.io/apiserver,
 * cacher.go, defaultBookmarkFrequency). If a kind has had no event so far, the server sends no bookmark. If a watch is
 * silent for a longer time, the watch may be dead although its connection is open.
 */
const MOST_SILENCE_MS = 150_000;
/**
 * The annotation of the bookmark that ends a streaming list (k8s.io/apimachinery, metav1.InitialEventsAnnotationKey).
 */
const END_OF_LIST = 'k8s.io/initial-events-end';

export class Reading {
  /**
   * The resourceVersion from which the next watch starts. The value is undefined if the collection has to be listed
   * first.
   */
  version: string | undefined;
  readonly #client: Reader;
  readonly #source: Source;
  readonly #sink: Sink;
  readonly #options: ReadingOptions;
  readonly #path: string;
  /** Whether the watch is still sending the events of the initial list. */
  #listing = false;
  /**
   * Whether streaming lists work. `Unsupported` means that the server does not offer streaming lists. `Broken` means
   * that the last streaming list did not reach its end.
   */
  #streams: 'Supported' | 'Unsupported' | 'Broken' = 'Supported';

  constructor(client: Reader, source: Source, sink: Sink, options: ReadingOptions) {
    this.#client = client;
    this.#source = source;
    this.#sink = sink;
    this.#options = options;
    this.#path = pathFor(source.apiVersion, source.kind);
  }

  /**
   * Continues to read the collection. The promise resolves when the server has ended the watch.
   * @throws the client's error
   */
  async goOn(signal: AbortSignal): Promise<void> {
    if (this.version === undefined) await this.#begin(signal);
    else await this.#watch({ resourceVersion: this.version }, signal);
  }

  async #begin(signal: AbortSignal): Promise<void> {
    this.#sink.listing();
    if (this.#streams === 'Supported' && (await this.#stream(signal))) return;
    this.version = await this.#list(signal);
    if (signal.aborted) return;
    if (this.#streams === 'Broken') this.#streams = 'Supported';
    await this.#watch({ resourceVersion: this.version }, signal);
  }

  /** Resolves to false if the server does not offer streaming lists. */
  async #stream(signal: AbortSignal): Promise<boolean> {
    this.#listing = true;
    try {
      await this.#watch({ sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' }, signal);
    } catch (error) {
      if (!isInvalid(error) || !this.#listing) throw error;
      this.#streams = 'Unsupported';
      return false;
    } finally {
      // The server drops a streaming list if the reader is too slow for current events. The server would also drop the
      // next streaming list. A slow reader can still read a list in pages.
      if (this.#listing && this.#streams === 'Supported') this.#streams = 'Broken';
      this.#listing = false;
    }
    return true;
  }

  async #list(signal: AbortSignal): Promise<string> {
    const query = selectorsOf(this.#source);
    const onPage = (page: RawPage) => {
      for (const item of page.items ?? []) this.#hand(item, (raw) => this.#sink.put(raw));
    };
    const version = await this.#client.list(this.#path, query, onPage, this.#reading(signal));
    this.#listed();
    return version;
  }

  async #watch(from: Query, signal: AbortSignal): Promise<void> {
    const started = performance.now();
    // The timeout has jitter, so that the watches of all kinds do not end together.
    const timeoutSeconds = Math.round(this.#options.watchSeconds * (1 + Math.random() / 2));
    const query = {
      ...selectorsOf(this.#source),
      allowWatchBookmarks: true,
      ...from,
      timeoutSeconds,
    };
    // If a kind has no events, the watches of this kind get no bookmarks. For a kind without events, a watch therefore
    // counts as alive when the server accepts the watch.
    const onBegin = () => this.#options.heard();
    const options = { ...this.#reading(signal), idleMs: MOST_SILENCE_MS, onBegin };
    try {
      await this.#client.watch(this.#path, query, (event) => this.#take(event, signal), options);
    } catch (error) {
      if (!isSilence(error) || this.#listing) throw error;
      this.#options.log.debug('a watch was silent for too long, starting another watch');
    } finally {
      if (!this.#listing && performance.now() - started >= HEALTHY_MS) this.#options.healthy();
    }
  }

  #reading(signal: AbortSignal): ReadOptions {
    const { managedFields = false, metadataOnly = false } = this.#source;
    return { signal, managedFields, metadataOnly };
  }

  #take({ type, object }: WatchEvent, signal: AbortSignal): void {
    // Ignores events of a watch that this reader has already abandoned.
    if (signal.aborted) return;
    this.#options.heard();
    const { resourceVersion, annotations } = object.metadata ?? {};
    if (type === 'DELETED') this.#hand(object, (raw) => this.#sink.remove(raw));
    else if (type !== 'BOOKMARK') this.#hand(object, (raw) => this.#sink.put(raw));
    else if (this.#listing && annotations?.[END_OF_LIST] === 'true') {
      this.#listing = false;
      this.#listed();
    }
    // The objects of a streaming list are sorted by name. Until the list has ended, the resourceVersion of an object
    // does not show which objects are still missing.
    if (this.#listing) return;
    this.version = resourceVersion ?? this.version;
    this.#options.healthy();
  }

  #listed(): void {
    this.#sink.listed();
    this.#options.listed();
  }

  /** If one object cannot be processed, the reader still passes on the other objects. */
  #hand(item: RawObject, take: (raw: RawObject) => void): void {
    const { apiVersion, kind } = this.#source;
    try {
      // Items of a list have no `apiVersion` and `kind`. A metadata-only object has the `apiVersion` and `kind` of the
      // type PartialObjectMetadata.
      take({ ...item, apiVersion, kind });
    } catch (error) {
      const { namespace, name } = item.metadata ?? {};
      this.#options.log.error('object skipped', { namespace, name, error });
    }
  }
}

export function selectorsOf({ labelSelector, fieldSelector }: Source): Pick<Source, 'labelSelector' | 'fieldSelector'> {
  return { ...(labelSelector && { labelSelector }), ...(fieldSelector && { fieldSelector }) };
}
