/**
 * A raw JSON client of the Kubernetes API. The client uses no classes, no dates and no schema. So callers can project
 * each object as soon as the object arrives. A write contains only the keys that the operator sets.
 */
import type { KubeConfig } from '@kubernetes/client-node';
import { FIELD_MANAGER } from '../api/capability-policy.ts';
import type { RawObject, RawPage } from '../model/raw.ts';
import { RateLimit } from '../runtime/rate-limit.ts';
import { ApiError, parseErrorEvent } from './api-error.ts';
import { Connection, type Endpoint } from './connection.ts';
import { decode } from './decoding.ts';
import { lines } from './lines.ts';
import { type Identified, pathOf } from './paths.ts';
import { type Body, type Call, type Query, type Settings, send } from './transport.ts';

export {
  ApiError,
  isConflict,
  isExpired,
  isForbidden,
  isInvalid,
  isNotFound,
  isOverloaded,
  isSilence,
} from './api-error.ts';
export { type Identified, pathFor, pathOf } from './paths.ts';
export type { Query } from './transport.ts';

export interface ClientOptions extends Partial<Settings> {
  /**
   * The rate limit of writes. The client sends `qps` writes per second on average (50 by default), and at most `burst`
   * writes at once (100 by default). All clients that the methods `at` and `fresh` create share this limit.
   */
  readonly qps?: number;
  readonly burst?: number;
  /** The API server to use instead of the configured server. */
  readonly endpoint?: Endpoint;
}

interface WriteOptions {
  readonly dryRun?: boolean;
}

interface ApplyOptions extends WriteOptions {
  /**
   * Whether to take over a field that another field manager set to another value. Without `force`, the API server
   * answers 409, and the client throws an ApiError.
   */
  readonly force?: boolean;
}

interface Preconditions {
  readonly uid?: string;
  readonly resourceVersion?: string;
}

export interface ReadOptions {
  readonly signal?: AbortSignal;
  /**
   * Whether to keep managed fields. Decoding an object without managed fields takes half as long as decoding the object
   * with managed fields.
   */
  readonly managedFields?: boolean;
  /** Whether the API server sends only the metadata of each object. */
  readonly metadataOnly?: boolean;
}

export interface WatchOptions extends ReadOptions {
  /** If a watch receives nothing for this time in ms, the watch ends with an error. */
  readonly idleMs?: number;
  /**
   * The client calls this function when the server has accepted the watch. The client calls the function even if no
   * events follow.
   */
  readonly onBegin?: () => void;
}

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: RawObject;
}

interface RawEvent {
  readonly type: WatchEvent['type'] | 'ERROR';
  readonly object: unknown;
}

/**
 * The content type for metadata-only requests
 * (https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches).
 */
const METADATA = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
const METADATA_OF_LIST = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
const PAGE_SIZE = 500;
const TIMEOUT_MS = 30_000;
const IDLE_MS = 330_000;
/**
 * The timeout for a single API server. The timeout is short, because an API server that does not answer delays the
 * results of all other API servers.
 */
const ENDPOINT_TIMEOUT_MS = 5_000;

export class ApiClient {
  readonly #config: KubeConfig;
  readonly #connection: Connection;
  readonly #settings: Settings;

  constructor(config: KubeConfig, options: ClientOptions = {}) {
    const { qps = 50, burst = 100, timeoutMs = TIMEOUT_MS, reuse = true, endpoint } = options;
    const { beforeWrite, onAnswer, onTime } = options;
    this.#config = config;
    this.#connection = new Connection(config, endpoint);
    const writes = options.writes ?? new RateLimit(qps, burst);
    this.#settings = { timeoutMs, reuse, writes, beforeWrite, onAnswer, onTime };
  }

  /** The URL of the API server to which this client sends requests. */
  get server(): string {
    return this.#connection.server;
  }

  /**
   * A client of the API server at `server`. Pass `servername` if the server's certificate has another name than the
   * URL's host.
   */
  at(server: string, servername?: string): ApiClient {
    const endpoint = { server, ...(servername !== undefined && { servername }) };
    // The operator uses only the clock of one server. A client of another server therefore does not report the server's
    // time.
    const settings = { ...this.#settings, onTime: undefined };
    return new ApiClient(this.#config, { ...settings, timeoutMs: ENDPOINT_TIMEOUT_MS, endpoint });
  }

  /**
   * A client that opens a new connection for every request. A load balancer may pick another API server for each
   * connection.
   */
  fresh(): ApiClient {
    return new ApiClient(this.#config, { ...this.#settings, reuse: false });
  }

  /**
   * A client with its own rate limit. The writes of the new client do not wait for the writes of this client.
   * @param writes the rate limit for writes. By default, the new client gets a separate rate limit with the same
   * numbers as this client
   */
  apart(writes = this.#settings.writes.another()): ApiClient {
    return new ApiClient(this.#config, { ...this.#settings, writes });
  }

  /** Ends all connections. Running requests fail. */
  async close(): Promise<void> {
    await this.#connection.close();
  }

  /** @throws ApiError, or the connection's error. All methods below throw the errors that `get` throws */
  async get<Answer = RawObject>(path: string, query: Query = {}, signal?: AbortSignal): Promise<Answer> {
    return this.#json({ method: 'GET', path, query, signal });
  }

  /**
   * Reads a collection page by page. The method passes each page to `onPage` before it requests the next page.
   *
   * @returns the resourceVersion to watch from
   */
  async list(path: string, query: Query, onPage: (page: RawPage) => void, options: ReadOptions = {}): Promise<string> {
    const { signal, managedFields = true, metadataOnly = false } = options;
    let token: string | undefined;
    let version = '';
    do {
      const body = await this.#send({
        method: 'GET',
        path,
        query: { limit: PAGE_SIZE, ...query, continue: token },
        accept: metadataOnly ? METADATA_OF_LIST : undefined,
        signal,
      });
      const page = decode(await body.text(), managedFields) as RawPage;
      onPage(page);
      token = page.metadata?.continue || undefined;
      version = page.metadata?.resourceVersion ?? version;
    } while (token);
    return version;
  }

  /**
   * Passes the events of a collection to `onEvent`, one event after the other, until the server or `signal` ends the
   * watch.
   *
   * @throws ApiError, also after an event of type ERROR. If nothing arrives for `idleMs`, the method throws undici's
   * error
   */
  async watch(path: string, query: Query, onEvent: (event: WatchEvent) => void, options: WatchOptions = {}) {
    const { signal, idleMs = IDLE_MS, managedFields = true, metadataOnly = false } = options;
    const accept = metadataOnly ? METADATA : undefined;
    const call: Call = { method: 'GET', path, query: { watch: true, ...query }, accept, signal, idleMs };
    const onLine = (line: string) => {
      const { type, object } = decode(line, managedFields) as RawEvent;
      if (type === 'ERROR') throw new ApiError(parseErrorEvent(object), `WATCH ${path}`);
      onEvent({ type, object: object as RawObject });
    };
    await this.#lines(call, onLine, options.onBegin);
  }

  /** Passes on the lines of a growing text, such as a container's log, until the text ends or `signal` is aborted. */
  async follow(path: string, query: Query, onLine: (line: string) => void, signal?: AbortSignal): Promise<void> {
    await this.#lines({ method: 'GET', path, query, accept: '*/*', signal, idleMs: IDLE_MS }, onLine);
  }

  /**
   * Writes an object by server-side apply. `object` contains only the fields that the operator sets. The operator
   * becomes the owner of the fields in `object`.
   */
  async apply(object: Identified, options: ApplyOptions = {}): Promise<RawObject> {
    return this.#apply(pathOf(object), object, options);
  }

  /**
   * Replaces the status of the object at `path` if the object still has this uid. The method replaces the status even
   * if another client wrote it. The patch itself tests the uid, because API servers ignore a uid in an apply patch of a
   * custom resource's status.
   */
  async replaceStatus(path: string, uid: string, status: object): Promise<RawObject> {
    const body = [
      { op: 'test', path: '/metadata/uid', value: uid },
      { op: 'add', path: '/status', value: status },
    ];
    const contentType = 'application/json-patch+json';
    return this.#json({ method: 'PATCH', path: `${path}/status`, query: writeQuery({}), body, contentType });
  }

  /** Creates `object` in the collection at `path`. */
  async create(path: string, object: unknown, options: WriteOptions = {}): Promise<RawObject> {
    return this.#json({ method: 'POST', path, query: writeQuery(options), body: object });
  }

  /** Sets `fields` in the existing object at `path`. */
  async change(path: string, fields: object): Promise<RawObject> {
    const contentType = 'application/merge-patch+json';
    return this.#json({ method: 'PATCH', path, query: writeQuery({}), body: fields, contentType });
  }

  /** Sets `fields` in the object at `path` by dry run. @returns the texts of the API server's warnings */
  async warningsOf(path: string, fields: object): Promise<readonly string[]> {
    let warnings: readonly string[] = [];
    const contentType = 'application/merge-patch+json';
    const onWarnings = (texts: readonly string[]) => {
      warnings = texts;
    };
    await this.#json({
      method: 'PATCH',
      path,
      query: writeQuery({ dryRun: true }),
      body: fields,
      contentType,
      onWarnings,
    });
    return warnings;
  }

  /**
   * Replaces an object completely, including the fields that other clients set. Use this method only for objects that
   * belong to the operator alone.
   */
  async replace(object: Identified, options: WriteOptions = {}): Promise<RawObject> {
    return this.#json({ method: 'PUT', path: pathOf(object), query: writeQuery(options), body: object });
  }

  /**
   * Deletes an object. If the object's uid or resourceVersion differs from `preconditions`, the API server does not
   * delete the object.
   */
  async remove(path: string, preconditions: Preconditions = {}): Promise<void> {
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background', preconditions };
    await this.#json({ method: 'DELETE', path, body });
  }

  async #apply(path: string, object: Identified, { force = false, dryRun }: ApplyOptions): Promise<RawObject> {
    const query = { ...writeQuery({ ...(dryRun && { dryRun }) }), force };
    // JSON is valid YAML.
    const contentType = 'application/apply-patch+yaml';
    return this.#json({ method: 'PATCH', path, query, body: object, contentType });
  }

  async #json<Answer>(call: Call): Promise<Answer> {
    const body = await this.#send(call);
    return (await body.json()) as Answer;
  }

  /** Passes each line of the response to `onLine`, until the server or the call's signal ends the response. */
  async #lines(call: Call, onLine: (line: string) => void, onBegin?: () => void): Promise<void> {
    try {
      const body = await this.#send(call);
      onBegin?.();
      for await (const line of lines(body)) onLine(line);
    } catch (error) {
      if (!call.signal?.aborted) throw error;
    }
  }

  #send(call: Call): Promise<Body> {
    return send(this.#connection, this.#settings, call);
  }
}

function writeQuery({ dryRun = false }: WriteOptions): Query {
  return { fieldManager: FIELD_MANAGER, ...(dryRun && { dryRun: 'All' }) };
}
