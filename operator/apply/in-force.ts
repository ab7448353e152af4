/**
 * Which rows of a program every API server enforces, as probes have shown. All times come from the clock that the
 * passes use.
 */
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

/**
 * How long API servers may take to load a written text: they compile a changed policy within a second, and the rest is
 * for their watches.
 */
export const COMPILED_MS = 3_000;
/**
 * How often a proved text is probed again: an API server may come back without the program, or without the plug-in that
 * enforces it.
 */
const PROVED_AGAIN_MS = 60_000;
/** The wait between an unwanted answer and the next probe: a share of the time since the write. */
const AGAIN = { share: 1 / 8, leastMs: 100, mostMs: 10_000 };
const NONE: ReadonlyMap<string, string> = new Map();
const COMPILING = 'waiting for the API servers to compile it';

export class InForce {
  readonly #clock: Pick<Clock, 'now'>;
  /** The last text that every API server enforced; undefined if some API server may no longer enforce it. */
  #text: Text | undefined;
  /** The IDs of the policies whose rows differ in some text that was written after `#text`. */
  readonly #changed = new Set<string>();
  /** The texts that some API server may enforce, by hash. */
  readonly #possible = new Set<string>();
  #proof: { readonly hash: string; readonly at: number; readonly addresses: ReadonlySet<string> } | undefined;
  #servers = 0;
  /** The written text that no probe has proved yet. */
  #awaited: { readonly hash: string; readonly since: number } | undefined;
  /** The earliest time at which an answer can be trusted. */
  #trustedFrom = 0;
  #askAt = 0;
  /** Why the last probe did not prove the text. */
  waitsFor: string | undefined;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** The number of API servers if all of them enforce the row; otherwise 0. */
  serversWith(id: string, { rows, rulesHash }: Text): number {
    if (this.#text?.rulesHash !== rulesHash || this.#changed.has(id)) return 0;
    return this.#text.rows.get(id) === rows.get(id) ? this.#servers : 0;
  }

  /** Whether some API server may enforce another row for the policy, or a row that is no longer in the current text. */
  isChanging(id: string): boolean {
    return this.#changed.has(id);
  }

  /** Whether a probe found the text on every API server, and nothing was written since. */
  proves({ hash }: Pick<Text, 'hash'>): boolean {
    return this.#proof?.hash === hash && this.#awaited === undefined;
  }

  /** Whether a probe found a text of the program on every API server. */
  get wasSeen(): boolean {
    return this.#proof !== undefined;
  }

  /** For how long the text has been without a proof, from the time at which an answer could be trusted. */
  get awaitedMs(): number {
    return this.#awaited ? this.#clock.now() - Math.max(this.#awaited.since, this.#trustedFrom) : 0;
  }

  /** The time of the next probe. */
  get askAt(): number {
    const at = this.#awaited || !this.#proof ? this.#askAt : Math.max(this.#askAt, this.#proof.at + PROVED_AGAIN_MS);
    return Math.max(at, this.#trustedFrom);
  }

  /** Records the text that is in the cluster before another one replaces it. */
  exists(hash: string | undefined): void {
    if (hash !== undefined) this.#possible.add(hash);
  }

  /**
   * Records a write. Call it before the write, because the answer may be lost.
   *
   * @param isShown whether the first answer with the hash proves that everything is loaded; ignored if an API server may
   * already enforce a text with this hash
   */
  writes(text: Text, isShown: boolean): void {
    const now = this.#clock.now();
    this.#askAt = now;
    // The same text is written again: the answer was lost, or the write was refused.
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

  /** Records that the program's objects were deleted; API servers may still enforce these objects. */
  deleted(): void {
    this.#proof = undefined;
    this.#awaited = undefined;
    this.#text = undefined;
  }

  /** Records that no API server enforces the program any more. */
  gone(): void {
    this.#possible.clear();
  }

  /**
   * Probes the API servers, if there is anything to find out. The text must be written already.
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

  async #ask(text: Text, servers: readonly ApiClient[], now: number): Promise<void> {
    const addresses = new Set(servers.map(({ server }) => server));
    if (this.#proof && !addresses.isSubsetOf(this.#proof.addresses)) {
      this.#proof = undefined;
      this.#text = undefined;
      this.#askAt = now;
    }
    // As long as no probe has proved the text, another process may have written it.
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
    // An API server that did not name its text may still enforce its earlier text.
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

/** The IDs of the policies whose rows differ between two texts. */
export function differing(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): string[] {
  return [...new Set([...a.keys(), ...b.keys()])].filter((id) => a.get(id) !== b.get(id));
}
