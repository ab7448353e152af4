/** Which rows of a program every API server enforces, as probes have shown. All times are by the clock of the passes. */
import type { ApiClient } from '../cluster/client.ts';
import type { Program } from '../compile/program.ts';
import type { Clock } from '../runtime/clock.ts';
import { distinct, everywhere, type Probed } from './probe.ts';

export type Text = Probed & Pick<Program, 'hash' | 'rulesHash' | 'rows'>;

/** Whether the API servers enforce a written text. */
export interface Question {
  readonly inForce: InForce;
  readonly text: Text;
}

/** API servers compile a changed policy within a second; the rest is for their watches. */
export const COMPILED_MS = 3_000;
/** An API server may come back without the program, or without the plug-in that enforces it. */
const PROVED_AGAIN_MS = 60_000;
/** How long after an unwanted answer the next probe waits: a share of the time since the write. */
const AGAIN = { share: 1 / 8, leastMs: 100, mostMs: 10_000 };
const NONE: ReadonlyMap<string, string> = new Map();
const COMPILING = 'waiting for the API servers to compile it';

export class InForce {
  readonly #clock: Pick<Clock, 'now'>;
  /** The last text that every API server enforced; undefined if that may have ended. */
  #text: Text | undefined;
  /** The IDs whose rows differ in some text written since. */
  readonly #changed = new Set<string>();
  /** The texts that some API server may enforce, by hash. */
  readonly #possible = new Set<string>();
  #proof: { readonly hash: string; readonly at: number; readonly addresses: ReadonlySet<string> } | undefined;
  #servers = 0;
  /** The written text that no proof has shown. */
  #awaited: { readonly hash: string; readonly since: number } | undefined;
  /** The earliest time at which an answer can be trusted. */
  #trustedFrom = 0;
  #askAt = 0;
  /** Why the last probe did not prove it. */
  waitsFor: string | undefined;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** The number of API servers that enforce the row, if all do; otherwise 0. */
  serversWith(id: string, { rows, rulesHash }: Text): number {
    if (this.#text?.rulesHash !== rulesHash || this.#changed.has(id)) return 0;
    return this.#text.rows.get(id) === rows.get(id) ? this.#servers : 0;
  }

  /** Whether some API server may enforce another row, or a row that the current text has no more. */
  isChanging(id: string): boolean {
    return this.#changed.has(id);
  }

  /** Whether every API server was seen with the text, and nothing was written since. */
  proves({ hash }: Pick<Text, 'hash'>): boolean {
    return this.#proof?.hash === hash && this.#awaited === undefined;
  }

  /** Whether every API server has enforced a text of it. */
  get wasSeen(): boolean {
    return this.#proof !== undefined;
  }

  /** How long the text has been written without a proof, from when an answer can be trusted. */
  get awaitedMs(): number {
    return this.#awaited ? this.#clock.now() - Math.max(this.#awaited.since, this.#trustedFrom) : 0;
  }

  /** When to ask again. */
  get askAt(): number {
    const at = this.#awaited || !this.#proof ? this.#askAt : Math.max(this.#askAt, this.#proof.at + PROVED_AGAIN_MS);
    return Math.max(at, this.#trustedFrom);
  }

  /** The text that exists in the cluster when we write another one. */
  exists(hash: string | undefined): void {
    if (hash !== undefined) this.#possible.add(hash);
  }

  /**
   * Call it before the write: its answer may be lost.
   *
   * @param isShown whether the first answer with the hash shows that everything is loaded. If an API server may enforce a
   * text with this hash already, it shows nothing
   */
  writes(text: Text, isShown: boolean): void {
    const now = this.#clock.now();
    this.#askAt = now;
    // Only its answer was lost, or it was refused.
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

  /** Its objects were deleted, and API servers may still enforce them. */
  deleted(): void {
    this.#proof = undefined;
    this.#awaited = undefined;
    this.#text = undefined;
  }

  /** After that, no API server enforces it any more. */
  gone(): void {
    this.#possible.clear();
  }

  /**
   * Asks the API servers, if there is anything to find out. The text has to be written.
   *
   * @returns whether something is known now that was not known before
   */
  async ask(text: Text, servers: readonly ApiClient[]): Promise<boolean> {
    const now = this.#clock.now();
    const before = [this.#proof, this.#text, this.#servers, this.waitsFor];
    await this.#ask(text, servers, now);
    const after = [this.#proof, this.#text, this.#servers, this.waitsFor];
    return after.some((one, i) => one !== before[i]);
  }

  async #ask(text: Text, servers: readonly ApiClient[], now: number): Promise<void> {
    const addresses = new Set(servers.map(({ server }) => server));
    if (this.#proof && !addresses.isSubsetOf(this.#proof.addresses)) {
      this.#proof = undefined;
      this.#text = undefined;
      this.#askAt = now;
    }
    // Without a proof, another process may have written it.
    if (this.#proof?.hash !== text.hash) this.#awaited ??= { hash: text.hash, since: now };
    this.#servers = Math.min(this.#servers, addresses.size);
    if (now < this.askAt) return;
    const { holds, other } = await everywhere(servers, text, text.hash);
    if (holds) {
      this.#prove(text, servers, addresses);
      return;
    }
    this.waitsFor = other?.message || COMPILING;
    const waited = this.#awaited ? now - this.#awaited.since : 0;
    this.#askAt = now + Math.min(Math.max(AGAIN.leastMs, waited * AGAIN.share), AGAIN.mostMs);
    // A server that did not say may enforce what it did.
    if (other?.hash === undefined || this.#possible.has(other.hash)) return;
    this.#awaited ??= { hash: text.hash, since: now };
    this.#text = undefined;
  }

  #prove(text: Text, servers: readonly ApiClient[], addresses: ReadonlySet<string>): void {
    this.#proof = { hash: text.hash, at: this.#clock.now(), addresses };
    this.#text = text;
    this.#changed.clear();
    this.#servers = distinct(servers);
    this.#awaited = undefined;
    this.waitsFor = undefined;
    this.#askAt = 0;
    this.#possible.clear();
    this.#possible.add(text.hash);
  }
}

/** The IDs whose rows differ. */
export function differing(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): string[] {
  return [...new Set([...a.keys(), ...b.keys()])].filter((id) => a.get(id) !== b.get(id));
}
