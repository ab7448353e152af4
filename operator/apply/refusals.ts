/**
 * Decides when to retry a failed write, and when to report a failure. All times in this file come from the clock that
 * the passes use.
 */
import { ApiError, isConflict, isNotFound, isOverloaded } from '../cluster/client.ts';
import type { Clock } from '../runtime/clock.ts';
import { askedMs } from '../runtime/retry-after.ts';

interface Refusal {
  readonly error: Error;
  /** The number of failures in a row. */
  readonly times: number;
  readonly since: number;
  readonly tryAt: number;
  readonly wanted: object;
}

/**
 * If an error may be temporary, the operator reports the error only after this number of failures in a row. In
 * addition, the failures must have lasted for at least `ms` milliseconds. An earlier report would make conditions flap.
 */
const REPORTED = { times: 3, ms: 1_500 };
/**
 * If refusals of a write last for this time in ms, the operator tries the write less often. A starting API server has
 * not loaded its RBAC objects yet. So a starting API server refuses objects that it accepts later.
 */
const FOR_GOOD_MS = 15_000;
/**
 * The times in ms between a failed write and the next try. During `conflictMs`, the watch shows the change that caused
 * the conflict.
 */
const TRY_AGAIN = { conflictMs: 100, newlyRefusedMs: 1_000, refusedMs: 30_000 };

export class Refusals {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #signal: AbortSignal | undefined;
  /** The refusals. The key is the name of a unit. A unit is a set of objects that are written together. */
  readonly #units = new Map<string, Refusal>();

  constructor(clock: Pick<Clock, 'now'>, signal?: AbortSignal) {
    this.#clock = clock;
    this.#signal = signal;
  }

  /**
   * Writes a unit of objects. If the last try failed a short time ago, the method writes nothing. After any error of a
   * write, the operator must continue to write the other units. For example, one request may time out. The API server
   * answers 500 if an object is too large for etcd.
   *
   * @param wanted the object to write. If the object differs from the object of the last try, the method tries the
   * write at once
   * @returns whether the unit was written @throws the signal's reason
   */
  async attempt(unit: string, wanted: object, write: () => Promise<unknown>): Promise<boolean> {
    const last = this.#units.get(unit);
    if (last?.wanted === wanted && this.#clock.now() < last.tryAt) return false;
    try {
      await write();
      this.#units.delete(unit);
      return true;
    } catch (error) {
      this.#signal?.throwIfAborted();
      this.#add(unit, wanted, error instanceof Error ? error : new Error(String(error)), last);
      return false;
    }
  }

  #add(unit: string, wanted: object, error: Error, last: Refusal | undefined): void {
    const now = this.#clock.now();
    const { times = 0, since = now } = last ?? {};
    const later = now - since >= FOR_GOOD_MS ? TRY_AGAIN.refusedMs : TRY_AGAIN.newlyRefusedMs;
    const waitMs = isRace(error) ? TRY_AGAIN.conflictMs : later;
    this.#units.set(unit, { error, times: times + 1, since, tryAt: now + Math.max(waitMs, askedMs(error)), wanted });
  }

  /** Forgets the failures of all units except the given units. */
  keep(units: ReadonlySet<string>): void {
    for (const unit of this.#units.keys()) if (!units.has(unit)) this.#units.delete(unit);
  }

  error(unit: string): Error | undefined {
    return this.#units.get(unit)?.error;
  }

  /**
   * The message of the last error, if the error may be temporary. The operator will try to write the unit of objects
   * again.
   */
  passing(unit: string): string | undefined {
    const last = this.#units.get(unit);
    return last && this.#mayPass(last) ? last.error.message : undefined;
  }

  /** The last error, if the error has to be reported. */
  reported(unit: string): Error | undefined {
    const last = this.#units.get(unit);
    return last && !this.#mayPass(last) ? last.error : undefined;
  }

  /** The message of the last error if the error has to be reported. */
  failure(unit: string): string | undefined {
    return this.reported(unit)?.message;
  }

  /** The time of the next try. If no write has to be retried, the time of the next try is infinite. */
  get nextTry(): number {
    return Math.min(...this.#units.values().map(({ tryAt }) => tryAt), Number.POSITIVE_INFINITY);
  }

  #mayPass({ error, times, since }: Refusal): boolean {
    return isTransient(error) && (times < REPORTED.times || this.#clock.now() - since < REPORTED.ms);
  }
}

/** Whether the same request may succeed a moment later. */
export function isTransient(error: Error): boolean {
  return !(error instanceof ApiError) || isRace(error) || isOverloaded(error) || error.status >= 500;
}

/** Whether somebody changed or deleted the object after the watch showed the object. */
function isRace(error: Error): boolean {
  return isConflict(error) || isNotFound(error);
}
