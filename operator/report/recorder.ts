/**
 * Writes Events. A repeated event becomes one Event with a series, as in client-go's broadcaster
 * (k8s.io/client-go/tools/events). Statuses, reports and metrics show the same facts as Events. So if there are too
 * many events at once, the recorder drops some of the events. The recorder keeps its state in memory, so a restarted
 * operator begins new series.
 */
import { type ApiClient, ApiError, isNotFound, pathFor } from '../cluster/client.ts';
import { RateLimit } from '../runtime/rate-limit.ts';
import type { KubernetesEvent } from './events.ts';

export type EventClient = Pick<ApiClient, 'create' | 'change'>;

interface RecorderOptions {
  /** A monotonic clock, in milliseconds. */
  readonly now?: () => number;
  /**
   * The recorder calls this function when the next write may be due earlier than before. The function must not throw.
   */
  readonly onDue?: () => void;
  /** The recorder calls this function with the number of Events that it has dropped since the last call. */
  readonly onFlood?: (leftOut: number) => void;
}

/** A written Event, and the number of later events that this Event counts. */
interface Told {
  readonly event: KubernetesEvent;
  /**
   * The name of the last event that this Event counts. If the recorder tries the write again, the name stays the same.
   */
  attempt: string;
  count: number;
  lastTime: string;
  lastAt: number;
  /** The time of the last write of this Event. */
  toldAt: number;
}

/**
 * An event is over if it has not recurred for this time in ms. If the event occurs again later, the recorder writes a
 * new Event.
 */
const ALIKE_MS = 600_000;
/**
 * The maximum number of Events for one object and one reason. The last of these Events counts all further events, but
 * does not contain the notes of these events.
 */
const MOST_ALIKE = 10;
/** The time in ms between two updates of a series. */
const SERIES_MS = 5_000;
const MOST_KNOWN = 4_000;
/**
 * The rate limit for new Events: the maximum number at once, and the number per second. The limit is high enough for
 * the workloads of a few new policies.
 */
const BURST = 500;
const PER_SECOND = 10;

export class EventRecorder {
  readonly #client: EventClient;
  readonly #options: Required<RecorderOptions>;
  readonly #budget: RateLimit;
  /**
   * The known Events. The key is the object and the reason. The Events in a list differ only in their notes.
   */
  readonly #known = new Map<string, Told[]>();
  /** The Events that have recurred since the recorder last wrote their series. */
  readonly #untold = new Set<Told>();
  readonly #waiting: KubernetesEvent[] = [];
  /** The permanent refusals of queued Events that `tellWaiting` has not returned yet. */
  readonly #refusals: ApiError[] = [];
  #leftOut = 0;

  constructor(client: EventClient, options: RecorderOptions = {}) {
    this.#client = client;
    this.#options = { now: () => performance.now(), onDue: () => {}, onFlood: () => {}, ...options };
    this.#budget = new RateLimit(PER_SECOND, BURST, this.#options.now);
  }

  /**
   * Writes new Events. The method counts repetitions of known events, and `tellSeries` writes the counts later.
   *
   * @returns the permanent refusals. Another attempt would not change a permanent refusal
   * @throws other errors of the client. The Events before the failed Event have been written. Another attempt writes
   * the remaining Events
   */
  readonly tell = async (events: readonly KubernetesEvent[]): Promise<ApiError[]> => {
    const refusals = await this.#tell(events);
    if (this.dueMs !== undefined) this.#options.onDue();
    return refusals;
  };

  async #tell(events: readonly KubernetesEvent[]): Promise<ApiError[]> {
    const refusals: ApiError[] = [];
    for (const event of events) {
      const alike = this.#alike(event);
      if (alike.some((told) => isAttempt(told, event))) continue;
      const joined = alike.find(({ event: { note } }) => note === event.note) ?? alike[MOST_ALIKE - 1];
      if (joined) this.#join(joined, event);
      else if (!this.#budget.tryTake()) this.#leftOut++;
      else {
        const refusal = await this.#post(event);
        if (refusal) refusals.push(refusal);
        else alike.push(this.#begun(event));
      }
    }
    return refusals;
  }

  /** Queues an Event for `tellWaiting`, so that the caller does not wait for the write. */
  later(event: KubernetesEvent): void {
    this.#waiting.push(event);
    this.#options.onDue();
  }

  /**
   * Writes the queued Events in the same way as `tell`. The method removes each written Event from the queue at once, so
   * that another attempt does not count the Event again.
   */
  async tellWaiting(): Promise<ApiError[]> {
    for (let [event] = this.#waiting; event; [event] = this.#waiting) {
      this.#refusals.push(...(await this.#tell([event])));
      this.#waiting.shift();
    }
    return this.#refusals.splice(0);
  }

  /**
   * The time in ms until `tellWaiting` or `tellSeries` is due. If the recorder has nothing to write, the value is
   * undefined.
   */
  get dueMs(): number | undefined {
    const due = [...this.#untold].map(({ toldAt }) => toldAt + SERIES_MS - this.#options.now());
    if (this.#leftOut > 0) due.push(SERIES_MS);
    if (this.#waiting.length > 0) due.push(0);
    return due.length === 0 ? undefined : Math.max(0, Math.min(...due));
  }

  /**
   * Writes the number of times that Events have recurred.
   *
   * @throws the client's error. If the refusal is permanent, the method throws the error only once, because the method
   * does not write the count again
   */
  async tellSeries(): Promise<void> {
    if (this.#leftOut > 0) this.#options.onFlood(this.#leftOut);
    this.#leftOut = 0;
    for (const told of [...this.#untold].filter(({ toldAt }) => toldAt + SERIES_MS <= this.#options.now())) {
      // The Event is removed from `#untold` before the write, because further events may occur during the write.
      this.#untold.delete(told);
      const refusal = await this.#change(told).catch((error: unknown) => {
        this.#untold.add(told);
        throw error;
      });
      told.toldAt = this.#options.now();
      if (refusal) throw refusal;
    }
  }

  /**
   * The Events for this object and reason that may still recur. The method returns the same list object each time,
   * because several callers may add Events at the same time.
   */
  #alike({ type, reason, action, regarding }: KubernetesEvent): Told[] {
    const key = JSON.stringify([type, reason, action, regarding]);
    const alive = this.#known.get(key) ?? [];
    alive.splice(0, alive.length, ...alive.filter(({ lastAt }) => this.#options.now() - lastAt < ALIKE_MS));
    // Moves the entry to the end of the map. The entries at the beginning of the map have been inactive longest. The
    // recorder drops these entries first.
    this.#known.delete(key);
    this.#known.set(key, alive);
    for (const [oldest] of this.#known) {
      if (this.#known.size <= MOST_KNOWN) break;
      this.#known.delete(oldest);
    }
    return alive;
  }

  #begun(event: KubernetesEvent): Told {
    const now = this.#options.now();
    return { event, attempt: event.metadata.name, count: 1, lastTime: event.eventTime, lastAt: now, toldAt: now };
  }

  #join(told: Told, { metadata, eventTime }: KubernetesEvent): void {
    told.count++;
    Object.assign(told, { attempt: metadata.name, lastTime: eventTime, lastAt: this.#options.now() });
    this.#untold.add(told);
  }

  /** Updates the series of an Event. If somebody has deleted the Event, a new Event is created. */
  async #change({ event, count, lastTime }: Told): Promise<ApiError | undefined> {
    const { namespace, name } = event.metadata;
    const series = { count, lastObservedTime: lastTime };
    try {
      await this.#client.change(pathFor(event.apiVersion, event.kind, namespace, name), { series });
    } catch (error) {
      if (isNotFound(error)) return this.#post({ ...event, series });
      if (!isFinal(error)) throw error;
      return error;
    }
  }

  /** @returns the refusal, if the refusal is permanent */
  async #post(event: KubernetesEvent): Promise<ApiError | undefined> {
    try {
      await this.#client.create(pathFor(event.apiVersion, event.kind, event.metadata.namespace), event);
    } catch (error) {
      if (!isFinal(error)) throw error;
      if (!isExpected(error)) return error;
    }
  }
}

function isAttempt({ event, attempt }: Told, { metadata: { name } }: KubernetesEvent): boolean {
  return name === attempt || name === event.metadata.name;
}

function isFinal(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429;
}

/**
 * Whether the error is expected. An error is expected if the Event exists already, or if its namespace is deleted or
 * being deleted.
 */
function isExpected({ status, causes }: ApiError): boolean {
  return status === 409 || status === 404 || causes.some(({ reason }) => reason === 'NamespaceTerminating');
}
