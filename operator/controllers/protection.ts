/** Finds out whether API servers protect the operator's objects. */
import { isDeepStrictEqual } from 'node:util';
import { askProtection, type ProtectionOutcome } from '../apply/protection-probe.ts';
import type { ApiClient } from '../cluster/client.ts';
import type { Context, Controller, Key } from './controller.ts';
import type { StateChange } from './state-change.ts';

const ALL = ['all'];
/**
 * The time in ms between two probes of the protection. API servers use the same interval to check their manifest files
 * for changes (apiserver/pkg/admission/plugin/policy/manifest/source).
 */
const ASK_AGAIN_MS = 60_000;
/**
 * If this number of probes in a row gets no answer, the protection counts as unknown. An API server that restarts does
 * not answer for a moment.
 */
const UNANSWERED = 3;
const RETRY_MS = 5_000;

export class Protection implements Controller {
  readonly name = 'protection';
  readonly #context: Context;
  readonly #servers: () => Promise<readonly ApiClient[]>;
  #unanswered = 0;

  /** @param servers returns one client for each API server that answers */
  constructor(context: Context, servers: () => Promise<readonly ApiClient[]>) {
    this.#context = context;
    this.#servers = servers;
  }

  keysFor({ cause }: StateChange): Iterable<Key> {
    return cause.of === 'term' || cause.of === 'servers' ? ALL : [];
  }

  async reconcile(_key: Key, again: (ms: number) => void): Promise<void> {
    const outcome = await askProtection(await this.#servers());
    if (this.#context.signal.aborted) return;
    this.#unanswered = outcome.state === 'Unknown' ? this.#unanswered + 1 : 0;
    const waits = this.#unanswered > 0 && this.#unanswered < UNANSWERED;
    if (!waits) this.#remember(outcome);
    again(waits ? RETRY_MS : ASK_AGAIN_MS);
  }

  #remember(outcome: ProtectionOutcome): void {
    const { cluster, state, found } = this.#context;
    const { protection } = state.outcomes;
    if (isDeepStrictEqual(protection.current, outcome)) return;
    protection.current = outcome;
    found({ by: this.name, policies: cluster.policies().map(({ metadata }) => metadata?.name ?? '') });
  }
}
