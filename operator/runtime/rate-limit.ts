/**
 * A token bucket. The bucket allows at most `burst` operations at once, and `perSecond` operations per second on
 * average. Callers are served in the order in which they come.
 */
export class RateLimit {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #now: () => number;
  #tokens: number;
  #filledAt: number;

  /** @param now returns the time of a monotonic clock, in ms */
  constructor(perSecond: number, burst: number, now: () => number = () => performance.now()) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#now = now;
    this.#tokens = burst;
    this.#filledAt = now();
  }

  /** Returns a new rate limit with the same rate and burst, and with a full bucket. */
  another(): RateLimit {
    return new RateLimit(this.#perSecond, this.#burst, this.#now);
  }

  /** Takes one token, and returns the time in ms until the token is available. */
  take(): number {
    this.#fill();
    // The number of tokens is negative while callers wait, because every waiting caller has already taken a future
    // token.
    this.#tokens -= 1;
    return this.#tokens >= 0 ? 0 : (-this.#tokens / this.#perSecond) * 1000;
  }

  /** Takes one token if a token is available. */
  tryTake(): boolean {
    this.#fill();
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  #fill(): void {
    const now = this.#now();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#filledAt) / 1000) * this.#perSecond);
    this.#filledAt = now;
  }
}
