/** Asks the API servers which rulesets they enforce, and records the answers. */
import type { ApiClient } from '../cluster/client.ts';
import type { AdmissionSet } from '../compile/admission-set.ts';
import type { Clock } from '../runtime/clock.ts';
import { everywhere } from './probe.ts';
import type { Records } from './record.ts';
import { Rounds } from './rounds.ts';

const COMPILING = 'waiting for the API servers to compile it';

export class Probing {
  readonly #records: Records;
  /** Each has its own rounds: a ruleset that does not come into force must not keep another one from being seen gone. */
  readonly #new: Rounds;
  readonly #leaving: Rounds;

  constructor(records: Records, clock: Pick<Clock, 'now'>) {
    this.#records = records;
    this.#new = new Rounds(clock);
    this.#leaving = new Rounds(clock);
  }

  /** @returns whether the answers change the state of any ruleset */
  async ask(sets: readonly AdmissionSet[], servers: readonly ApiClient[]): Promise<boolean> {
    const came = await this.askNew(sets, servers);
    return (await this.askLeaving(servers)) || came;
  }

  /** Asks about the written rulesets that were not seen in force. */
  async askNew(sets: readonly AdmissionSet[], servers: readonly ApiClient[]): Promise<boolean> {
    const waiting = sets.filter((set) => this.#records.of(set.policy).isProbed);
    const before = new Map(waiting.map(({ policy }) => [policy, this.#records.of(policy).waitsFor]));
    await this.#new.ask(waiting, async (set) => {
      const record = this.#records.of(set.policy);
      const { holds, message } = await everywhere(servers, set, 'InForce');
      if (holds) record.cameIntoForce(set.ruleset, distinct(servers));
      else record.waitsFor = message || COMPILING;
      return record.isInForce;
    });
    for (const { policy } of waiting) this.#records.of(policy).waitsFor ??= COMPILING;
    return waiting.some(({ policy }) => {
      const { isInForce, waitsFor } = this.#records.of(policy);
      return isInForce || waitsFor !== before.get(policy);
    });
  }

  /** Asks about the deleted rulesets. */
  async askLeaving(servers: readonly ApiClient[]): Promise<boolean> {
    const leaving = [...this.#records.values()].flatMap(({ trustedLeaving }) => trustedLeaving);
    let gone = false;
    await this.#leaving.ask(leaving, async (set) => {
      const { holds: isGone } = await everywhere(servers, set, 'NotInForce');
      if (isGone) this.#records.of(set.policy).gone(set.ruleset);
      gone ||= isGone;
      return isGone;
    });
    return gone;
  }
}

/** Several connections to one address count once: the number of API servers behind it is unknown. */
export function distinct(servers: readonly ApiClient[]): number {
  return new Set(servers.map(({ server }) => server)).size;
}
