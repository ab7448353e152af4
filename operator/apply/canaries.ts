/**
 * Tests new rules of a program. A canary is a copy of the program under another name, and the operator tests the rules
 * in the canary. If the canary passes, the operator replaces the rules in force.
 */
import type { ApiClient } from '../cluster/client.ts';
import { type Canary, objectsOfProgram, type Program, RULES_LABEL } from '../compile/program.ts';
import { inOrderOfRemoval, keyOf, type Live, labelOf } from '../state/live.ts';
import type { InForce, Question, Text } from './in-force.ts';
import type { ProgramWrites } from './program-writes.ts';
import type { Refusals } from './refusals.ts';
import type { Writes } from './writes.ts';

interface CanariesOptions {
  readonly writes: Writes;
  readonly programs: ProgramWrites;
  readonly refusals: Refusals;
  readonly inForceOf: (name: string) => InForce;
}

/**
 * The time in ms after which a canary is overdue. The operator counts the time from the moment when the API servers
 * have had enough time to compile the canary.
 */
const PASSES_MS = 10_000;

export class Canaries {
  readonly #options: CanariesOptions;
  /** The hashes of the rules whose canary has passed. */
  readonly #passed = new Set<string>();

  constructor(options: CanariesOptions) {
    this.#options = options;
  }

  /**
   * @returns whether the operator may write the program. The result is true if the program's rules equal the live
   * rules, or if the program's canary has passed
   */
  async isReady(program: Program, live: Live, servers: readonly ApiClient[]): Promise<boolean> {
    const { programs, refusals } = this.#options;
    const canary = this.#neededFor(program, live);
    if (!canary) {
      // If rules are in force, the operator treats their canary as passed. The rules do not need a canary again later,
      // even if somebody deletes the program.
      if (this.#options.inForceOf(program.name).proves(program)) this.#passed.add(program.rulesHash);
      await this.#remove(program, live);
      return true;
    }
    const text = textOf(program, canary);
    const inForce = this.#options.inForceOf(text.name);
    if (programs.mustWait(canary, text.name, live)) return false;
    const write = () => programs.write(canary, text, inForce, live);
    const written = await refusals.attempt(canaryUnit(program), program, write);
    if (!written || !programs.isWritten(canary, live)) return false;
    await inForce.ask(text, servers);
    if (inForce.proves(text)) this.#passed.add(program.rulesHash);
    return inForce.proves(text);
  }

  /** The canary that has not passed yet. The result is undefined if the program needs no canary. */
  awaited(program: Program, live: Live): InForce | undefined {
    const canary = this.#neededFor(program, live);
    return canary && this.#options.inForceOf(canary.policy.metadata.name);
  }

  /**
   * Returns the question to ask the API servers about the program's canary. The result is undefined if the canary is
   * not written, or has passed already.
   */
  question(program: Program, live: Live): Question | undefined {
    const canary = this.#neededFor(program, live);
    if (!canary || !this.#options.programs.isWritten(canary, live)) return undefined;
    const text = textOf(program, canary);
    return { inForce: this.#options.inForceOf(text.name), text };
  }

  /** An API server's answer that explains why a canary is overdue. */
  failure(program: Program, live: Live): string | undefined {
    const awaited = this.awaited(program, live);
    if (awaited?.isUnprovable)
      return `the program is written only after a probe has tested its rules, but ${awaited.waitsFor}`;
    return awaited && awaited.awaitedMs >= PASSES_MS ? awaited.waitsFor : undefined;
  }

  #neededFor({ policy, rulesHash, canary }: Program, live: Live): Canary | undefined {
    const before = live.get(keyOf(policy));
    const isKnown = before !== undefined && labelOf(before, RULES_LABEL) === rulesHash;
    return isKnown || this.#passed.has(rulesHash) ? undefined : canary;
  }

  async #remove(program: Program, live: Live): Promise<void> {
    const { writes, refusals } = this.#options;
    const objects = program.canary ? objectsOfProgram(program.canary) : [];
    const left = objects.flatMap((object) => live.get(keyOf(object)) ?? []);
    await refusals.attempt(canaryUnit(program), program, async () => {
      for (const object of inOrderOfRemoval(left)) if (!object.metadata.deletionTimestamp) await writes.remove(object);
    });
  }
}

/** The key of a program's canary in `Refusals`, the record of failed writes. */
export function canaryUnit({ name }: Pick<Program, 'name'>): string {
  return `canary/${name}`;
}

function textOf({ kind, rulesHash }: Program, { policy, hash }: Canary): Text {
  return { name: policy.metadata.name, kind, hash, rulesHash, rows: new Map() };
}
