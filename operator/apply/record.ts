/**
 * The state of the rulesets of each policy and guard. A new process starts without any and determines it again. All times
 * are by the clock of the passes.
 */
import { type ApiError, isConflict, isOverloaded } from '../cluster/client.ts';
import type { AdmissionSet, Probed } from '../compile/admission-set.ts';
import type { Clock } from '../runtime/clock.ts';
import { askedMs } from '../runtime/retry-after.ts';

/** Consecutive refusals of our writes. */
interface Refusal {
  readonly error: ApiError;
  readonly times: number;
  /** The time of the first refusal. */
  readonly since: number;
  /** When to try again. */
  readonly tryAt: number;
}

/** A ruleset that we deleted and that some API server may still enforce. */
interface Leaving extends Probed {
  readonly mutates: boolean;
  /** The policies whose `use` it checks by the authorizer. */
  readonly uses: readonly string[];
}

interface LeavingSince extends Leaving {
  /** The earliest time at which the answer that it is gone can be trusted. */
  readonly trustedFrom: number;
}

/**
 * An API server that has just started refuses objects that it accepts a moment later, because it does not know its RBAC
 * yet.
 */
const REFUSED_FOR_GOOD = { times: 3, ms: 15_000 };
/** How long to retry while the API server reports overload, which lasts longer than a start. */
const OVERLOADED_FOR_GOOD_MS = 300_000;
/** How long the next try waits. */
export const TRY_AGAIN = { newlyRefusedMs: 1_000, refusedMs: 30_000 };

/** API servers compile a changed policy within a second; the rest is for their watches. */
const COMPILED_MS = 3_000;

export class RulesetRecord {
  /** Undefined when nothing is rendered for the policy any more. */
  desired: AdmissionSet | undefined;
  /** Since when that ruleset is desired. */
  desiredSince = 0;
  /** The last ruleset whose objects were all found or written. */
  written: string | undefined;
  /** The ruleset that every API server enforced since our last write to it or deletion from it. */
  inForce: { readonly ruleset: string; readonly servers: number } | undefined;
  /** The earliest time at which a probe's answer can be trusted. */
  trustedFrom = 0;
  /** By ruleset. */
  readonly leaving = new Map<string, LeavingSince>();
  /** Rulesets that every API server has enforced at some time, as long as they exist. */
  readonly #seen = new Set<string>();
  /** Objects that the API server refuses to write. */
  refusal: Refusal | undefined;
  /** Whether the pass writes no more for it: the API server refused something in this pass, or too short a time before it. */
  isSkipped = false;
  /** Objects that the API server refused to delete in the last pass. */
  unremoved: ApiError | undefined;
  /** Why the desired ruleset was not in force when it was last probed. */
  waitsFor: string | undefined;
  /** Whether the policy's users change when no older text asks for them any more. */
  usersWait = false;
  /** The last ruleset that was in force together with everything that a policy needs to be Programmed. */
  programmed: string | undefined;
  readonly #clock: Pick<Clock, 'now'>;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  get isInForce(): boolean {
    return this.inForce !== undefined && this.inForce.ruleset === this.desired?.ruleset;
  }

  /** Whether the desired ruleset returns before its deleted copy is out of force everywhere. */
  get comesBack(): boolean {
    return this.desired !== undefined && this.leaving.has(this.desired.ruleset);
  }

  /** Whether to ask for the desired ruleset: it is written and not seen in force, and the answer can be trusted. */
  get isProbed(): boolean {
    if (this.written !== this.desired?.ruleset) return false;
    return !this.refusal && !this.isInForce && !this.comesBack && this.#isTrusted(this);
  }

  /** Whether the record can be dropped. */
  get isOver(): boolean {
    return !this.desired && this.leaving.size === 0 && this.#isTrusted(this);
  }

  /** The others wait for it until then: their old rulesets may be the only ones that now refuse what it will refuse. */
  get isRefusedForGood(): boolean {
    return this.refusal !== undefined && isForGood(this.refusal, this.#clock.now());
  }

  /** The deleted rulesets that can be asked about. */
  get trustedLeaving(): LeavingSince[] {
    return [...this.leaving.values()].filter((one) => this.#isTrusted(one));
  }

  /** Whether an answer can be trusted by now. */
  #isTrusted({ trustedFrom }: Pick<LeavingSince, 'trustedFrom'>): boolean {
    return this.#clock.now() >= trustedFrom;
  }

  /** API servers have to load what was written just now, so only later answers can be trusted. */
  distrustUntilCompiled(): void {
    this.trustedFrom = this.#clock.now() + COMPILED_MS;
  }

  refused(error: ApiError): void {
    const now = this.#clock.now();
    const { times = 0, since = now } = this.refusal ?? {};
    const refusal = { error, times: times + 1, since };
    const waitMs = isForGood(refusal, now) ? TRY_AGAIN.refusedMs : TRY_AGAIN.newlyRefusedMs;
    this.refusal = { ...refusal, tryAt: now + Math.max(waitMs, askedMs(error)) };
    this.isSkipped = true;
  }

  tryAgain(): void {
    if (this.refusal) this.refusal = { ...this.refusal, tryAt: Number.NEGATIVE_INFINITY };
  }

  /** Every API server enforces the desired ruleset. */
  cameIntoForce(ruleset: string, servers: number): void {
    this.inForce = { ruleset, servers };
    this.#seen.add(ruleset);
  }

  /**
   * An object of a ruleset was deleted. The binding of its probe is written last and deleted last. If API servers never
   * loaded that binding, they may still have loaded the others, so the probe proves nothing about these.
   */
  left(one: Leaving): void {
    const before = this.leaving.get(one.ruleset);
    const uses = [...(before?.uses ?? []), ...one.uses];
    const trustedFrom = this.#seen.has(one.ruleset) ? 0 : this.#clock.now() + COMPILED_MS;
    this.leaving.set(one.ruleset, { ...one, mutates: before?.mutates || one.mutates, uses, trustedFrom });
    if (this.inForce?.ruleset === one.ruleset) this.inForce = undefined;
    if (this.written === one.ruleset) this.written = undefined;
  }

  /** No API server enforces it any more. */
  gone(ruleset: string): void {
    this.leaving.delete(ruleset);
    this.#seen.delete(ruleset);
  }

  /** The API server's refusal, for people. */
  get failure(): string | undefined {
    return this.refusal && !this.#mayPass ? this.refusal.error.message : this.unremoved?.message;
  }

  /** The reason why the desired ruleset is not in force yet, for people. */
  get obstacle(): string | undefined {
    return this.refusal && this.#mayPass ? this.refusal.error.message : this.waitsFor;
  }

  /**
   * Whether the error may be transient: a conflict with another writer, a failing server. Such an error is reported
   * only after a few in a row, so that conditions do not flap.
   */
  get #mayPass(): boolean {
    if (!this.refusal) return false;
    const { error, times } = this.refusal;
    return (isConflict(error) || isOverloaded(error) || error.status >= 500) && times < REFUSED_FOR_GOOD.times;
  }
}

function isForGood({ error, times, since }: Omit<Refusal, 'tryAt'>, now: number): boolean {
  const patience = isOverloaded(error) ? OVERLOADED_FOR_GOOD_MS : REFUSED_FOR_GOOD.ms;
  return times >= REFUSED_FOR_GOOD.times && now - since >= patience;
}

/** By policy or guard. */
export class Records extends Map<string, RulesetRecord> {
  readonly #clock: Pick<Clock, 'now'>;
  #servers = '';

  constructor(clock: Pick<Clock, 'now'>) {
    super();
    this.#clock = clock;
  }

  /** Creates a missing record. */
  of(policy: string): RulesetRecord {
    const record = this.get(policy) ?? new RulesetRecord(this.#clock);
    this.set(policy, record);
    return record;
  }

  /**
   * Begins a pass: keeps the results of earlier ones.
   *
   * @param sets that have to be in force @param servers the addresses of the answering API servers
   */
  begin(sets: readonly AdmissionSet[], servers: readonly string[]): void {
    const began = this.#clock.now();
    const desired = new Map(sets.map((set) => [set.policy, set]));
    const sameServers = servers.join(' ') === this.#servers;
    this.#servers = servers.join(' ');
    for (const policy of desired.keys()) this.of(policy);
    for (const [policy, record] of this) {
      const now = desired.get(policy);
      if (now?.ruleset !== record.desired?.ruleset) {
        record.waitsFor = undefined;
        record.desiredSince = began;
      }
      // It was compiled again, perhaps with other users only.
      if (now !== record.desired) record.tryAgain();
      record.desired = now;
      record.unremoved = undefined;
      record.usersWait = false;
      if (!sameServers) record.inForce = undefined;
      if (!record.desired) record.refusal = undefined;
      record.isSkipped = record.refusal !== undefined && began < record.refusal.tryAt;
      if (record.isOver) this.delete(policy);
    }
  }

  leaving(): LeavingSince[] {
    return [...this.values()].flatMap((record) => [...record.leaving.values()]);
  }

  /** The names of the sets that the API server refuses. */
  refused(): Set<string> {
    return new Set([...this].flatMap(([policy, { refusal }]) => (refusal ? [policy] : [])));
  }
}
