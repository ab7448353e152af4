/**
 * Finds the policies whose rows make the API server refuse a program. If these policies keep their earlier specs, the
 * other policies of the program come into force.
 */
import type { CompletePolicy } from '../api/capability-policy.ts';
import { type ApiClient, pathFor } from '../cluster/client.ts';
import { byAge } from '../compile/accept.ts';
import type { Compiled } from '../compile/compile.ts';
import type { Program } from '../compile/program.ts';
import type { RenderedObject } from '../model/objects.ts';
import { type Clock, SYSTEM_CLOCK } from '../runtime/clock.ts';
import { Turns } from '../runtime/turns.ts';
import { keyOf, liveObjects } from '../state/live.ts';
import type { PolicyState } from '../state/policy-state.ts';
import { culpritsAmong } from './culprits.ts';
import type { RefusedProgram } from './outcome.ts';
import { isTransient } from './refusals.ts';
import { inPlaceOf } from './writes.ts';

interface RejectionsOptions {
  readonly client: ApiClient;
  readonly state: PolicyState;
  readonly policies: () => readonly CompletePolicy[];
  readonly rendered: () => readonly RenderedObject[];
  readonly signal: AbortSignal;
  readonly clock?: Pick<Clock, 'now'>;
}

/** The times of the first and the last dry run with the same purpose. */
interface Asked {
  readonly first: number;
  readonly last: number;
}

/**
 * The time in ms until the next dry run with the same purpose. The time doubles, because a dry run of a large program
 * costs the API server as much as a write.
 */
const AGAIN_MS = { least: 30_000, most: 600_000 };

export class Rejections {
  readonly #options: RejectionsOptions;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #turns = new Turns();
  /** The searches. The key is the hash of the refused version of a program. */
  readonly #searched = new Map<string, Asked>();
  /** The questions whether the API server accepts the rejected rows by now. */
  #asked: Asked | undefined;

  constructor(options: RejectionsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? SYSTEM_CLOCK;
  }

  /** The time in ms until the operator asks whether the API server accepts the rejected rows by now. */
  get againMs(): number {
    return this.#asked ? Math.max(0, nextOf(this.#asked) - this.#clock.now()) : AGAIN_MS.least;
  }

  /**
   * Asks the API server by dry runs which rows it refuses, and whether it accepts rejected rows by now.
   *
   * @returns the policies that keep their earlier spec from now on, with the API server's messages. The result is
   * undefined if these are the same policies as before, or if the API server does not answer
   */
  async find(refused: readonly RefusedProgram[]): Promise<ReadonlyMap<string, string> | undefined> {
    const { rejected } = this.#options.state;
    try {
      const found = new Map(await this.#stillRejected(rejected));
      for (const one of refused) {
        if (!this.#isDue(one)) continue;
        for (const [policy, message] of await this.#culprits(one, new Set(found.keys()))) found.set(policy, message);
      }
      const isSame = found.size === rejected.size && [...found.keys()].every((name) => rejected.has(name));
      return isSame ? undefined : found;
    } catch (error) {
      if (error instanceof Error && isTransient(error)) return undefined;
      throw error;
    }
  }

  #isDue({ program }: RefusedProgram): boolean {
    const now = this.#clock.now();
    const asked = this.#searched.get(program.hash);
    if (asked && now < nextOf(asked)) return false;
    for (const [hash, { last }] of this.#searched) if (now - last > 2 * AGAIN_MS.most) this.#searched.delete(hash);
    this.#searched.set(program.hash, { first: asked?.first ?? now, last: now });
    return true;
  }

  async #stillRejected(rejected: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, string>> {
    const now = this.#clock.now();
    if (rejected.size === 0) this.#asked = undefined;
    else this.#asked ??= { first: now, last: now };
    if (!this.#asked || now < nextOf(this.#asked)) return rejected;
    this.#asked = { ...this.#asked, last: now };
    const { state } = this.#options;
    const still = new Map(rejected);
    for (const policy of rejected.keys()) {
      const supposed = await this.#suppose(new Set([...still.keys()].filter((name) => name !== policy)));
      const written = new Set(state.compiled.programs.map(({ hash }) => hash));
      const changed = supposed.programs.filter(({ hash }) => !written.has(hash));
      if ((await this.#refusalOf(changed)) === undefined) still.delete(policy);
    }
    return still;
  }

  async #culprits(
    { program: { kind }, changing, live }: RefusedProgram,
    rejected: ReadonlySet<string>,
  ): Promise<ReadonlyMap<string, string>> {
    const { policies, state } = this.#options;
    const suspects = policies()
      .toSorted(byAge)
      .flatMap(({ metadata }) => metadata?.name ?? [])
      .filter((name) => changing.has(name) && !rejected.has(name));
    // Without its earlier spec, the policy would lose its row.
    if (suspects.some((name) => live.has(name) && !state.isProven(name))) return new Map();
    let isAsked = false;
    const found = await culpritsAmong(suspects, async (without) => {
      const supposed = await this.#suppose(new Set([...rejected, ...without]));
      const programs = supposed.programs.filter((one) => one.kind === kind);
      if (without.size === suspects.length) isAsked = programs.length > 0;
      return this.#refusalOf(programs);
    });
    // If the API server refuses each row, and there is no program without them, the rows may not be the reason.
    return isAsked || found.size < suspects.length ? found : new Map();
  }

  async #suppose(rejected: ReadonlySet<string>): Promise<Compiled> {
    const { state, signal } = this.#options;
    const done = await this.#turns.run(state.supposing(rejected), () => !signal.aborted);
    signal.throwIfAborted();
    return done?.result as Compiled;
  }

  /** The API server's refusal of some program, as it would be written. */
  async #refusalOf(programs: readonly Program[]): Promise<string | undefined> {
    const { client, rendered, signal } = this.#options;
    const live = liveObjects(rendered());
    for (const { policy } of programs) {
      signal.throwIfAborted();
      const before = live.get(keyOf(policy));
      try {
        if (before) await client.replace(inPlaceOf(before, policy), { dryRun: true });
        else await client.create(pathFor(policy.apiVersion, policy.kind), policy, { dryRun: true });
      } catch (error) {
        if (!(error instanceof Error) || isTransient(error)) throw error;
        return error.message;
      }
    }
    return undefined;
  }
}

function nextOf({ first, last }: Asked): number {
  return last + Math.min(Math.max(last - first, AGAIN_MS.least), AGAIN_MS.most);
}
