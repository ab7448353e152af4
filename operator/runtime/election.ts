/**
 * Leader election by a Lease, with client-go's rules (see lease.ts).
 *
 * The clock, not a timer, decides whether this process leads. A process that was stopped (SIGSTOP, a frozen container)
 * continues its work before its timers report that the term is over. So the client calls `assertMayWrite` immediately
 * before each write.
 *
 *   A process may write until the time renewDeadline has passed since the process sent its last renewal. Another
 *   process can lead only after the time leaseDuration has passed since this renewal arrived at the API server. The
 *   difference between the two times leaves room for writes that are still in flight.
 */
import { type Clock, SYSTEM_CLOCK } from './clock.ts';
import { type LeaseClient, LeaseLock } from './lease.ts';
import type { Log } from './log.ts';
import { Revisions } from './revisions.ts';

export interface ElectionOptions {
  /**
   * A client whose writes do not call `assertMayWrite`. The client has a separate rate limit, because renewals must not
   * wait for other writes.
   */
  readonly client: LeaseClient;
  readonly namespace: string;
  readonly name: string;
  /** A name that is unique to this process, in the form `<pod>_<uuid>`. */
  readonly identity: string;
  readonly log: Log;
  /**
   * Other candidates take a lease that nobody has renewed for this time in ms. The time must be whole seconds. The
   * default is 15,000.
   */
  readonly leaseDurationMs?: number;
  /**
   * If no later renewal succeeds, this process leads for this time in ms after a renewal. The default is 10,000.
   */
  readonly renewDeadlineMs?: number;
  /** The maximum time in ms between two attempts to acquire or renew the lease. The default is 2,000. */
  readonly retryPeriodMs?: number;
  readonly clock?: Clock;
  /** The election shows every resourceVersion of the Lease to this object. */
  readonly revisions?: Revisions;
  /** Returns a random number in [0, 1), so that not all candidates try at the same time. */
  readonly random?: () => number;
}

interface ElectionCallbacks {
  /**
   * Does the work of a leader. The work must end when `leading` is aborted. The signal is aborted if the lease is lost
   * or if the election must end. After the abort, the work may still write as long as the process holds the lease. If
   * the work ends by itself, the election ends as well.
   */
  onStartedLeading(leading: AbortSignal): Promise<void>;
  /** The elector calls this function after the work has ended. */
  onStoppedLeading?(): void;
}

export class NotLeadingError extends Error {
  override readonly name = 'NotLeadingError';
}

const DEFAULTS = { leaseDurationMs: 15_000, renewDeadlineMs: 10_000, retryPeriodMs: 2_000 };
/** If the work still runs this long after the loss of the lease, the work counts as hanging. The time is in ms. */
const MAX_ENDING_MS = 60_000;

export class Election {
  readonly #options: Required<ElectionOptions>;
  readonly #lock: LeaseLock;
  readonly #log: Log;
  /**
   * The time at which this process stops leading, by the process's own clock. The time is in the past if the process
   * does not lead.
   */
  #leadsUntil = Number.NEGATIVE_INFINITY;
  #lostAt: number | undefined;
  #reported = '';
  #failing = false;

  /** @throws Error for unsafe durations */
  constructor(options: ElectionOptions) {
    this.#options = {
      ...DEFAULTS,
      clock: SYSTEM_CLOCK,
      random: Math.random,
      revisions: new Revisions(() => {}),
      ...options,
    };
    validate(this.#options);
    this.#lock = new LeaseLock(this.#options);
    const { namespace, name, identity } = this.#options;
    this.#log = this.#options.log.child({ lease: `${namespace}/${name}`, identity });
  }

  /** Returns true if a write that is sent now cannot overlap with a write of another leader. */
  mayWrite(): boolean {
    return this.#options.clock.now() < this.#leadsUntil;
  }

  /** @throws NotLeadingError if a write must not be sent now */
  readonly assertMayWrite = (): void => {
    if (!this.mayWrite())
      throw new NotLeadingError(`the write was refused, because this process does not hold the lease`);
  };

  /**
   * The health check for /healthz. @throws Error if the lease was lost and the leader's work has not ended for a long
   * time
   */
  readonly check = (): void => {
    const { clock } = this.#options;
    if (this.#lostAt === undefined || clock.now() - this.#lostAt < MAX_ENDING_MS) return;
    throw new Error('the lease was lost, and the tasks of the leader did not stop in time');
  };

  /**
   * Runs for election and leads. After a loss of the lease, the method waits until the work has ended, and then runs
   * for election again. When `signal` is aborted, the work ends, and the lease is released.
   *
   * @throws the work's error, after the method has released the lease
   */
  async run(callbacks: ElectionCallbacks, signal: AbortSignal): Promise<void> {
    while (await this.#campaign(signal)) {
      if (!(await this.#lead(callbacks, signal))) return;
    }
  }

  /** @returns true if this process holds the lease. If `signal` ended the campaign, the result is false */
  async #campaign(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      // The elector waits for the end of the attempt even if the signal is aborted. A lease that the attempt acquires
      // has to be released.
      await this.#try(this.#options.renewDeadlineMs);
      if (this.mayWrite()) return true;
      const { retryPeriodMs, random, clock } = this.#options;
      // The pause is between half a retry period and a whole retry period, and ends at the latest when the lease ends.
      // The pause of client-go is 1 to 2.2 periods. So the next leader begins within one period after a release of the
      // lease. Without a release, the next leader begins when the lease ends.
      const pause = retryPeriodMs * (1 - random() / 2);
      const rest = Math.ceil(this.#lock.remainingMs);
      await clock.sleep(rest > 0 ? Math.min(pause, rest) : pause, signal);
    }
    return false;
  }

  /** @returns whether to run again */
  async #lead({ onStartedLeading, onStoppedLeading }: ElectionCallbacks, signal: AbortSignal): Promise<boolean> {
    const lost = new AbortController();
    const ended = new AbortController();
    this.#log.info('started leading');
    const work = (async () => onStartedLeading(AbortSignal.any([signal, lost.signal])))();
    const outcome = work.finally(() => ended.abort());
    // The elector waits for the outcome of the work later, when the elector no longer renews the lease. If the promise
    // rejects earlier, the rejection must not count as unhandled.
    outcome.catch(() => {});
    const held = await this.#hold(ended.signal);
    if (!held) this.#lose(lost);
    try {
      await outcome;
    } catch (error) {
      // After the loss of the lease, a NotLeadingError is expected, because this error aborts writes.
      if (held || !(error instanceof NotLeadingError)) throw error;
    } finally {
      this.#lostAt = undefined;
      this.#leadsUntil = Number.NEGATIVE_INFINITY;
      if (held) await this.#release();
      onStoppedLeading?.();
    }
    return !held;
  }

  /** Renews the lease until the work has ended. @returns whether this process still holds the lease at the end */
  async #hold(ended: AbortSignal): Promise<boolean> {
    const { clock, retryPeriodMs, renewDeadlineMs } = this.#options;
    for (;;) {
      await clock.sleep(Math.min(retryPeriodMs, this.#leadsUntil - clock.now()), ended);
      if (!this.mayWrite()) return false;
      if (ended.aborted) return true;
      await this.#try(Math.min(renewDeadlineMs / 2, this.#leadsUntil - clock.now()));
      if (!this.mayWrite()) return false;
    }
  }

  /**
   * Tries once to acquire or renew the lease, and waits at most `ms` milliseconds. An abandoned attempt does no harm.
   * The write of an abandoned attempt may fail because the write contains an older resourceVersion. If the write
   * succeeds and acquires the lease, the next attempt finds the acquired lease.
   */
  async #try(ms: number): Promise<void> {
    const { clock, renewDeadlineMs, identity } = this.#options;
    const begun = clock.now();
    const held = await this.#bounded(this.#lock.acquireOrRenew(), ms);
    if (held) this.#leadsUntil = begun + renewDeadlineMs;
    // If another process holds the lease, this process stops leading at once, and does not wait for the deadline.
    else if (held === false && this.#lock.holder !== identity) this.#leadsUntil = Number.NEGATIVE_INFINITY;
    this.#reportHolder();
  }

  async #release(): Promise<void> {
    const released = await this.#bounded(this.#lock.release(), this.#options.renewDeadlineMs);
    if (released) this.#log.info('released the lease');
  }

  #lose(lost: AbortController): void {
    this.#leadsUntil = Number.NEGATIVE_INFINITY;
    this.#lostAt = this.#options.clock.now();
    this.#log.warn('lost the lease', { holder: this.#lock.holder });
    lost.abort(new NotLeadingError('the lease was lost'));
  }

  /** The result of the request. If the request failed or took longer than `ms`, the result is undefined. */
  async #bounded<Result>(request: Promise<Result>, ms: number): Promise<Result | undefined> {
    const answered = new AbortController();
    const late = this.#options.clock.sleep(ms, answered.signal).then(() => {
      if (!answered.signal.aborted) throw new Error(`no answer for ${Math.round(ms)} ms`);
      return undefined;
    });
    try {
      const result = await Promise.race([request, late]);
      this.#failing = false;
      return result;
    } catch (error) {
      if (!this.#failing) this.#log.warn('the lease cannot be reached, trying again', { error });
      this.#failing = true;
      return undefined;
    } finally {
      answered.abort();
      request.catch(() => {});
    }
  }

  #reportHolder(): void {
    const { holder } = this.#lock;
    if (holder === this.#reported) return;
    this.#reported = holder;
    if (holder !== '' && holder !== this.#options.identity) this.#log.info('another leads', { holder });
  }
}

/**
 * Checks the durations as client-go does. A leader must stop before another leader starts. A leader must be able to try
 * several renewals before the leader stops.
 */
function validate({ leaseDurationMs, renewDeadlineMs, retryPeriodMs }: Required<ElectionOptions>): void {
  if (leaseDurationMs < 1000 || leaseDurationMs % 1000 !== 0) {
    throw new Error('the lease duration must be a whole number of seconds, 1 or more');
  }
  if (leaseDurationMs <= renewDeadlineMs) {
    throw new Error('the lease duration must be longer than the renew deadline');
  }
  if (renewDeadlineMs <= retryPeriodMs * 1.2 || retryPeriodMs <= 0) {
    throw new Error('the renew deadline must be longer than 1.2 retry periods');
  }
}
