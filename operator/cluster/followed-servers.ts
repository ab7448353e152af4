/** Follows the API servers and their versions. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Change, UnlearnedDefaults } from '../model/objects.ts';
import type { Log } from '../runtime/log.ts';
import type { ApiClient } from './client.ts';
import { askTemplateMutators } from './mutators.ts';
import { askServerDefaults, askServers, askUnknownPodFields, endpoints, oldest, type ServerMinors } from './servers.ts';

export interface FollowedServersOptions {
  onChange(change: Change): void;
  readonly log: Log;
  /**
   * The function that finds the API servers and their versions. The default function finds all API servers that publish
   * an address.
   */
  readonly ask?: typeof askServers;
  /** The function that finds the pod fields that this release does not know. */
  readonly askFields?: typeof askUnknownPodFields;
  /**
   * The namespace for dry runs that show which fields API servers fill in. If this field is absent, the client does not
   * try to find out which fields API servers fill in.
   */
  readonly asksIn?: string;
  /** The function that finds the fields that API servers fill in, but that this release does not know. */
  readonly askDefaults?: typeof askServerDefaults;
  /** The time in ms until the client reads the list of API servers again. */
  readonly serversRefreshMs?: number;
}

/**
 * The time in ms between two reads of the list of API servers. API servers come and go. RBAC allows the operator to get
 * the addresses of API servers, but not to watch the addresses.
 */
const REFRESH_MS = 10_000;
const RETRY_MS = 2_000;
/**
 * If this number of attempts to read the pod fields has failed, the program starts without the pod fields.
 */
const MOST_FAILURES = 3;
/** A client of an API server is reused for this time in ms. Every probe needs clients. */
const CLIENTS_KEPT_MS = 10_000;

/** The fields that API servers fill in, as far as the client may believe the answers. */
interface AskedDefaults {
  readonly defaults: readonly string[] | undefined;
  readonly unlearned?: UnlearnedDefaults;
}

export class FollowedServers {
  readonly #client: ApiClient;
  readonly #options: FollowedServersOptions;
  readonly #known = Promise.withResolvers<void>();
  #minors: ServerMinors = new Map();
  /**
   * The API servers that existed when the client last read the pod fields. The field is undefined before the first
   * read.
   */
  #fieldsOf: ServerMinors | undefined;
  /** The number of failed reads of the pod fields since the start. */
  #failures = 0;
  #unknownPodFields: readonly string[] = [];
  #serverDefaults: readonly string[] | undefined;
  #unlearned: UnlearnedDefaults | undefined;
  #clients: { readonly found: Promise<readonly ApiClient[]>; readonly until: number } | undefined;

  constructor(client: ApiClient, options: FollowedServersOptions) {
    this.#client = client;
    this.#options = options;
  }

  /**
   * The minor version of the oldest API server, such as 33 for Kubernetes 1.33. The value is 0 until `known` resolves.
   */
  get oldest(): number {
    return this.#minors.size === 0 ? 0 : oldest(this.#minors);
  }

  /** The paths of pod fields that some API server has, but that this release does not know. */
  get unknownPodFields(): readonly string[] {
    return this.#unknownPodFields;
  }

  /**
   * The fields that API servers fill in, but that this release does not know. The list has the format of the field
   * `serverDefaults` in the type `Standard`. The value is undefined if the client does not look for fields that API
   * servers fill in.
   */
  get serverDefaults(): readonly string[] | undefined {
    return this.#serverDefaults;
  }

  /** The fields that the client does not take for fields that API servers fill in, because of a mutator. */
  get unlearned(): UnlearnedDefaults | undefined {
    return this.#unlearned;
  }

  /**
   * Resolves when the API servers have been found for the first time. If `asksIn` is set, the promise also waits for
   * the pod fields. If the pod fields cannot be read, the promise resolves after some attempts.
   */
  get known(): Promise<void> {
    return this.#known.promise;
  }

  /** One client for each answering API server. */
  async answering(): Promise<readonly ApiClient[]> {
    if (!this.#clients || Date.now() > this.#clients.until) {
      const found = endpoints(this.#client);
      this.#clients = { found, until: Date.now() + CLIENTS_KEPT_MS };
      found.catch(() => {
        if (this.#clients?.found === found) this.#clients = undefined;
      });
    }
    return this.#clients.found;
  }

  /**
   * Whether decisions about pods depend on the pod fields. A program that only shows a cluster does not wait for the
   * pod fields.
   */
  get #decides(): boolean {
    return this.#options.asksIn !== undefined;
  }

  /** Reads the API servers repeatedly, until `signal` is aborted. */
  async follow(signal: AbortSignal): Promise<void> {
    const { serversRefreshMs = REFRESH_MS } = this.#options;
    while (!signal.aborted) {
      const delay = (await this.#look()) ? serversRefreshMs : RETRY_MS;
      // `sleep` rejects only when the signal is aborted, so its error can be ignored.
      await sleep(delay, undefined, { signal }).catch(() => {});
    }
  }

  async #look(): Promise<boolean> {
    const { onChange, log, ask = askServers } = this.#options;
    try {
      const [before, aged] = [this.#minors, this.oldest];
      this.#minors = await ask(this.#client, before);
      const changed = this.oldest !== aged;
      if (changed || !isDeepStrictEqual([...this.#minors.keys()], [...before.keys()])) {
        this.#clients = undefined;
        onChange({ of: 'servers', oldest: changed });
      }
      if (!this.#decides) this.#known.resolve();
      const hasRead = await this.#lookAtFields();
      if (hasRead || this.#failures >= MOST_FAILURES) this.#known.resolve();
      return hasRead || !this.#decides;
    } catch (error) {
      log.warn('no API server answered with its version, trying again', { error });
      return false;
    }
  }

  /**
   * Reads the pod fields again after a change of the API servers. An upgrade may add fields. Asks again what API servers
   * fill in after a change of what may have changed the answer. @returns whether the fields of these API servers are
   * known
   */
  async #lookAtFields(): Promise<boolean> {
    const minors = this.#minors;
    const areRead = isDeepStrictEqual(minors, this.#fieldsOf);
    if (areRead && !this.#unlearned) return true;
    try {
      if (!areRead) await this.#readFields();
      else if (await this.#mayLearn()) await this.#askDefaults(this.#unknownPodFields);
      this.#fieldsOf = minors;
      this.#failures = 0;
      return true;
    } catch (error) {
      const level = this.#decides && this.#failures === 0 ? 'warn' : 'debug';
      this.#failures++;
      this.#options.log[level]('could not read the pod fields of the API servers, trying again', { error });
      return false;
    }
  }

  async #readFields(): Promise<void> {
    const { askFields = askUnknownPodFields } = this.#options;
    await this.#askDefaults(await askFields(await this.answering()));
  }

  /** Whether the mutators that stopped the client from learning have changed, or are not in the API. */
  async #mayLearn(): Promise<boolean> {
    if (!this.#unlearned) return false;
    const { mutators, namespace } = this.#unlearned;
    return mutators.length === 0 || !isDeepStrictEqual(await askTemplateMutators(this.#client, namespace), mutators);
  }

  async #askDefaults(fields: readonly string[]): Promise<void> {
    const asked = await this.#defaultsFor(fields).catch((error: unknown) => ({ error }));
    // The client records the unknown pod fields, even if it could not find out which fields API servers fill in.
    this.#note(fields, 'error' in asked ? { defaults: this.#serverDefaults } : asked);
    if ('error' in asked) throw asked.error;
  }

  /** While a mutator matches, the client learns nothing, because the mutator may have set each value of the answer. */
  async #defaultsFor(fields: readonly string[]): Promise<AskedDefaults> {
    const { asksIn: namespace, askDefaults = askServerDefaults } = this.#options;
    if (namespace === undefined) return { defaults: undefined };
    if (fields.length === 0) return { defaults: [] };
    const before = await askTemplateMutators(this.#client, namespace);
    const { filled, added } = await askDefaults(await this.answering(), namespace);
    const mutators = [...new Set([...before, ...(await askTemplateMutators(this.#client, namespace))])].sort();
    if (mutators.length === 0 && added.length === 0) return { defaults: filled };
    return { defaults: this.#serverDefaults, unlearned: { values: [...filled, ...added], mutators, namespace } };
  }

  #note(fields: readonly string[], { defaults, unlearned }: AskedDefaults): void {
    const before = [this.#unknownPodFields, this.#serverDefaults ?? [], this.#unlearned];
    this.#unknownPodFields = fields;
    this.#serverDefaults = defaults;
    this.#unlearned = unlearned;
    if (isDeepStrictEqual([fields, defaults ?? [], unlearned], before)) return;
    const { onChange, log } = this.#options;
    if (unlearned && !isDeepStrictEqual(unlearned, before[2])) {
      log.warn('webhooks or mutating policies may have set unknown fields, so policies do not admit them', {
        ...unlearned,
      });
    }
    if (fields.length > 0 && !isDeepStrictEqual(fields, before[0])) {
      log.warn('API servers have pod fields that no rule checks', { fields, defaults });
    }
    onChange({ of: 'servers', oldest: false, fields: true });
  }
}
