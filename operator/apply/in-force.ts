/**
 * Tracks which rows of a program every API server enforces, according to probes. All times in this file and all times
 * of the passes come from the same clock.
 */
import type { ApiClient } from '../cluster/client.ts';
import type { Manifest } from '../compile/objects.ts';
import type { Program } from '../compile/program.ts';
import type { Clock } from '../runtime/clock.ts';
import { keyOf, type Live } from '../state/live.ts';
import { distinct, everywhere, type Probed } from './probe.ts';

export type Text = Probed & Pick<Program, 'hash' | 'rulesHash' | 'rows'>;

/** A question for the API servers: do the API servers enforce the written version of a program? */
export interface Question {
  readonly inForce: InForce;
  readonly text: Text;
}

/**
 * The time in ms that API servers may take to load a changed program. Compiling takes up to a second. Two more seconds
 * cover the delay of the API servers' watches.
 */
export const COMPILED_MS = 3_000;
/**
 * The time in ms after which the operator repeats the probe of a program that is in force. After a restart, an API
 * server may lack the program, or the admission plug-in that enforces programs.
 */
const PROVED_AGAIN_MS = 60_000;
/**
 * The time in ms for which a proof counts if API servers do not answer later probes. A shorter time would change
 * conditions whenever an API server is overloaded for a moment.
 */
const PROOF_COUNTS_MS = 180_000;
/**
 * After a failed probe, the operator waits before the next probe. The length of the wait is the time since the write,
 * multiplied by `share`. If a program in force fails its repeated probe, the time since the first failure counts.
 */
const AGAIN = { share: 1 / 8, leastMs: 100, mostMs: 10_000 };
/** The time in ms after which refused probes are reported. */
const REFUSED_MS = 1_500;
const NONE: ReadonlyMap<string, string> = new Map();
const NO_OBJECTS: ReadonlyMap<string, string | undefined> = new Map();
const COMPILING = 'waiting for the API servers to compile the program';

export class InForce {
  readonly #clock: Pick<Clock, 'now'>;
  /**
   * The last version of the program that every API server enforced. If some API server may have stopped enforcing this
   * version, the value is undefined, or `#servers` is 0.
   */
  #text: Text | undefined;
  /**
   * The IDs of the policies whose rows changed after `#text` was written. A row has changed if a later version of the
   * program has a different row for the policy.
   */
  readonly #changed = new Set<string>();
  /** The hashes of the versions that some API server may still enforce. */
  readonly #possible = new Set<string>();
  #proof: { readonly hash: string; readonly at: number; readonly addresses: ReadonlySet<string> } | undefined;
  /**
   * The number of API servers that enforce `#text`. If some API server may not enforce `#text`, the number is 0. For
   * example, an API server has joined since the last proof.
   */
  #servers = 0;
  /** The written version of the program, if no probe has proved this version yet. */
  #awaited: { readonly hash: string; readonly since: number } | undefined;
  /** The time of the first failed probe after the last proof. */
  #failingSince: number | undefined;
  /** The earliest time at which the answer to a probe can be trusted. */
  #trustedFrom = 0;
  #askAt = 0;
  /** After a failed probe of the last proven version, the time of the next probe of this version. */
  #askProvenAt = 0;
  /** The versions of the program's objects at the end of the last pass. The key is the kind and the name. */
  #objects = NO_OBJECTS;
  /** The reason why the last probe did not show that every API server enforces the program. */
  waitsFor: string | undefined;
  /** The time of the first of the last refused probes. The time is undefined if the last probe was not refused. */
  #refusedSince: number | undefined;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /**
   * If every API server enforces the row, the result is the number of API servers. In all other cases, the result is 0.
   */
  serversWith(id: string, { rows, rulesHash }: Text): number {
    if (this.#text?.rulesHash !== rulesHash || this.#changed.has(id)) return 0;
    return this.#text.rows.get(id) === rows.get(id) ? this.#servers : 0;
  }

  /**
   * Whether some API server may still enforce an outdated row of the policy. A row is outdated if the program now has a
   * newer row, or no row, for the policy.
   */
  isChanging(id: string): boolean {
    return this.#changed.has(id);
  }

  /**
   * Whether a probe showed that every API server enforces this version. If the operator writes the program after the
   * probe, the result is false.
   */
  proves({ hash }: Pick<Text, 'hash'>): boolean {
    return this.#proof?.hash === hash && this.#awaited === undefined;
  }

  /** Whether a probe showed that every API server enforces some version of the program. */
  get wasSeen(): boolean {
    return this.#proof !== undefined;
  }

  /**
   * How long the operator has waited for a proof of the written version, in ms. The wait begins when the answers to
   * probes can be trusted.
   */
  get awaitedMs(): number {
    return this.#awaited ? this.#clock.now() - Math.max(this.#awaited.since, this.#trustedFrom) : 0;
  }

  /**
   * Whether somebody else has refused the probes for some time. API servers may enforce the program, but no probe can
   * prove it. A single refusal may be temporary, for example while a webhook restarts.
   */
  get isUnprovable(): boolean {
    return this.#refusedSince !== undefined && this.#clock.now() - this.#refusedSince >= REFUSED_MS;
  }

  /** The time of the next probe. */
  get askAt(): number {
    const at = this.#awaited || !this.#proof ? this.#askAt : Math.max(this.#askAt, this.#proof.at + PROVED_AGAIN_MS);
    return Math.max(at, this.#trustedFrom);
  }

  /**
   * The time of the next probe of the last proven version. If no version is proven, the time is infinite. The times of
   * other probes do not depend on this time.
   */
  get askProvenAt(): number {
    if (!this.#text) return Number.POSITIVE_INFINITY;
    return Math.max(this.#askProvenAt, this.#proof ? this.#proof.at + PROVED_AGAIN_MS : 0);
  }

  /** Records which version of the program the cluster has, before a write replaces this version. */
  exists(hash: string | undefined): void {
    if (hash !== undefined) this.#possible.add(hash);
  }

  /**
   * Records a write of the program. Call this method before the write, because the answer to the write may be lost.
   *
   * @param isShown whether the new hash in an API server's answer shows that the API server has loaded all objects of
   * the program. If an API server may already enforce a version with the new hash, the method ignores `isShown`
   */
  writes(text: Text, isShown: boolean): void {
    const now = this.#clock.now();
    this.#askAt = now;
    // The operator writes the same version a second time. The reason is a lost answer to the first write, or a write
    // that the API server refused.
    if (isShown && this.#awaited?.hash === text.hash) return;
    const before = this.#text?.rows ?? NONE;
    if (!isShown || this.#possible.has(text.hash)) {
      this.#text = undefined;
      this.#trustedFrom = now + COMPILED_MS;
    }
    const changed = this.#text ? differing(before, text.rows) : [...before.keys(), ...text.rows.keys()];
    for (const id of changed) this.#changed.add(id);
    this.#awaited = { hash: text.hash, since: now };
    this.#possible.add(text.hash);
  }

  /** Records that the operator deleted the program's objects. API servers may still enforce the program. */
  deleted(): void {
    this.#proof = undefined;
    this.#awaited = undefined;
    this.#text = undefined;
    this.#objects = NO_OBJECTS;
  }

  /**
   * Looks for objects that somebody else has changed or deleted since the last pass. API servers may stop enforcing the
   * program because of such a change, even if the operator cannot repair the change in this pass. Also looks for API
   * servers that have joined since the last proof, even if the operator cannot write the program in this pass.
   */
  begins(live: Live, servers: readonly ApiClient[]): void {
    this.#sees(addressesOf(servers));
    if (this.#objects.entries().every(([key, version]) => versionIn(live, key) === version)) return;
    for (const id of this.#text?.rows.keys() ?? []) this.#changed.add(id);
    this.deleted();
    // Until API servers have loaded the change, the program's hash in their answers proves nothing.
    this.#trustedFrom = this.#clock.now() + COMPILED_MS;
  }

  /** Records the versions of the program's objects at the end of a pass. */
  ends(objects: readonly Manifest[], live: Live): void {
    this.#objects = new Map(objects.map((object) => [keyOf(object), versionIn(live, keyOf(object))]));
  }

  /** Records that no API server enforces the program any more. */
  gone(): void {
    this.#possible.clear();
  }

  /**
   * Probes the API servers, if a probe is due. Write the program before you call this method.
   *
   * @returns whether the probe showed anything new
   */
  async ask(text: Text, servers: readonly ApiClient[]): Promise<boolean> {
    const now = this.#clock.now();
    const before = [this.#proof, this.#text, this.#servers, this.waitsFor];
    await this.#ask(text, servers, now);
    const after = [this.#proof, this.#text, this.#servers, this.waitsFor];
    return after.some((one, i) => one !== before[i]);
  }

  /**
   * Probes the last proven version, if a probe is due. Call this method as long as the operator cannot write a newer
   * version. The unchanged rows stay in force only if every API server still enforces them.
   */
  async askProven(servers: readonly ApiClient[]): Promise<void> {
    const now = this.#clock.now();
    const text = this.#text;
    if (!text || now < this.askProvenAt) return;
    const { holds, other } = await everywhere(servers, text, text.hash);
    if (holds) {
      this.#holds(text, servers);
      return;
    }
    this.#failingSince ??= now;
    if (!this.#mayStillHold(other?.hash, now)) this.#suspend();
    this.#askProvenAt = now + againMs(now - this.#failingSince);
  }

  /**
   * Probes the live version of a program that the operator cannot replace, if this process has no proof of any version.
   * After a restart, the rows that the operator did not want to change are therefore still in force.
   *
   * @param wanted the version that the operator cannot write
   */
  async recognise(text: Text, wanted: Text, servers: readonly ApiClient[]): Promise<void> {
    const now = this.#clock.now();
    if (this.#text || now < Math.max(this.#trustedFrom, this.#askProvenAt)) return;
    const { holds } = await everywhere(servers, text, text.hash);
    if (!holds) {
      this.#failingSince ??= now;
      this.#askProvenAt = now + againMs(now - this.#failingSince);
      return;
    }
    this.#holds(text, servers);
    this.#text = text;
    for (const id of [...this.#changed]) if (text.rows.get(id) === wanted.rows.get(id)) this.#changed.delete(id);
    for (const id of differing(text.rows, wanted.rows)) this.#changed.add(id);
  }

  async #ask(text: Text, servers: readonly ApiClient[], now: number): Promise<void> {
    this.#sees(addressesOf(servers));
    // This process has no proof of this version, so another process may have written this version.
    if (this.#proof?.hash !== text.hash) this.#awaited ??= { hash: text.hash, since: now };
    if (now < this.askAt) return;
    const { holds, other } = await everywhere(servers, text, text.hash);
    if (holds) {
      this.#prove(text, servers);
      return;
    }
    this.waitsFor = other?.message || COMPILING;
    this.#refusedSince = other?.isRefused ? (this.#refusedSince ?? now) : undefined;
    this.#failingSince ??= now;
    const since = this.#awaited?.since ?? this.#failingSince;
    this.#askAt = now + againMs(now - since);
    if (this.#mayStillHold(other?.hash, now)) return;
    this.#awaited ??= { hash: text.hash, since };
    this.#text = undefined;
  }

  /**
   * Whether the last proof still counts after another answer of an API server. If the answer contains no hash, the API
   * server may still enforce an earlier version. Without a newer proof, nobody knows this for long.
   */
  #mayStillHold(hash: string | undefined, now: number): boolean {
    if (hash !== undefined) return this.#possible.has(hash);
    return !this.#proof || now < this.#proof.at + PROOF_COUNTS_MS;
  }

  /**
   * Records the API servers that answer. If an API server leaves, the other API servers still enforce the program. If
   * the API server comes back, the next proof counts it again.
   */
  #sees(addresses: ReadonlySet<string>): void {
    if (this.#proof && !addresses.isSubsetOf(this.#proof.addresses)) this.#suspend();
    this.#servers = Math.min(this.#servers, addresses.size);
  }

  /** Records that the last proof no longer counts. The next proof of the same version restores what `#text` says. */
  #suspend(): void {
    this.#proof = undefined;
    this.#servers = 0;
    this.#askAt = this.#clock.now();
    this.#askProvenAt = 0;
  }

  #prove(text: Text, servers: readonly ApiClient[]): void {
    this.#holds(text, servers);
    this.#text = text;
    this.#changed.clear();
    this.#awaited = undefined;
    this.waitsFor = undefined;
    this.#refusedSince = undefined;
    this.#askAt = 0;
    this.#possible.clear();
    this.#possible.add(text.hash);
  }

  #holds({ hash }: Text, servers: readonly ApiClient[]): void {
    this.#proof = { hash, at: this.#clock.now(), addresses: addressesOf(servers) };
    this.#servers = distinct(servers);
    this.#failingSince = undefined;
    this.#askProvenAt = 0;
  }
}

function addressesOf(servers: readonly ApiClient[]): ReadonlySet<string> {
  return new Set(servers.map(({ server }) => server));
}

/** The time in ms until the next probe, if probes have failed for the given time in ms. */
function againMs(failingMs: number): number {
  return Math.min(Math.max(AGAIN.leastMs, failingMs * AGAIN.share), AGAIN.mostMs);
}

/**
 * The version of an object's specification. The version stays the same if only the metadata or the status of the object
 * changes. The result is undefined if the object does not exist.
 */
function versionIn(live: Live, key: string): string | undefined {
  const object = live.get(key);
  return object && `${object.metadata.uid}/${object.metadata.generation}`;
}

/** The IDs of the policies whose rows differ between two versions of a program. */
export function differing(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): string[] {
  return [...new Set([...a.keys(), ...b.keys()])].filter((id) => a.get(id) !== b.get(id));
}
