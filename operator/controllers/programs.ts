/** Brings the compiled policies into force. */
import { isDeepStrictEqual } from 'node:util';
import { ROLLOUT_PENDING } from '../api/capability-policy.ts';
import type { PassResult, ProgramOutcome } from '../apply/outcome.ts';
import { Programs as AppliedPrograms } from '../apply/programs.ts';
import { Rejections } from '../apply/rejections.ts';
import type { ApiClient } from '../cluster/client.ts';
import type { Compiled } from '../compile/compile.ts';
import { rolloutLabel } from '../policy/parts.ts';
import { isSameSelector } from '../policy/selector.ts';
import { rollsOut } from '../promotion/state.ts';
import { repairEvent, unremovedEvent } from '../report/transitions.ts';
import { type Context, type Controller, type Key, originOf } from './controller.ts';
import type { StateChange } from './state-change.ts';

/** The controller has a single key, because a program contains many policies. */
const ALL = ['all'];
/**
 * The wait in ms for more changes. The watch also shows the operator's own writes. Many writes of the operator, or many
 * changes by other clients, may appear in the watch at the same time.
 */
const DELAY_MS = 50;
/** The time in ms after which the controller checks again whether the saved states of rollouts have been read. */
const STATES_AGAIN_MS = 20;

export class Programs implements Controller {
  readonly name = 'programs';
  readonly #context: Context;
  readonly #programs: AppliedPrograms;
  readonly #rejections: Rejections;
  /** The note of the last Event about an object that cannot be removed. */
  #toldUnremoved: string | undefined;
  #remembered: ReadonlyMap<string, ProgramOutcome> | undefined;

  /** @param servers returns one client for each API server that answers */
  constructor(context: Context, servers: () => Promise<readonly ApiClient[]>) {
    const { client, cluster, state, recorder, log, signal } = context;
    this.#context = context;
    this.#rejections = new Rejections({
      client,
      state: state.policies,
      policies: () => cluster.policies(),
      rendered: () => cluster.rendered(),
      signal,
    });
    this.#programs = new AppliedPrograms(client, {
      servers,
      signal,
      onWrite(action, object) {
        log.info(`${action} object`, { ...object });
        if (action !== 'repaired') return;
        const policy = object.policy === undefined ? undefined : cluster.policy(object.policy);
        recorder.later(repairEvent(object, policy, originOf(context)));
      },
    });
  }

  keysFor({ cause, recompiles }: StateChange): Iterable<Key> {
    // A new API server may not yet enforce all programs.
    return recompiles || cause.of === 'rendered' || cause.of === 'servers' ? ALL : [];
  }

  delay(_key: Key, { cause }: StateChange): number {
    return cause.of === 'rendered' ? DELAY_MS : 0;
  }

  async reconcile(_key: Key, again: (ms: number) => void): Promise<void> {
    const { state, cluster, signal } = this.#context;
    const { compiled } = state.policies;
    if (state.awaitsRollouts()) return again(STATES_AGAIN_MS);
    const result = await this.#programs.pass(compiled, cluster.rendered()).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
    if (!result) return;
    const { outcomes, unremoved, unremovedFrom, comeBackMs } = result;
    const isCurrent = !state.policies.isStale && state.policies.compiled === compiled;
    const held = isCurrent ? state.policies.hold(result.held) : new Set<string>();
    if (outcomes !== this.#remembered) this.#remember(outcomes, compiled);
    this.#remembered = outcomes;
    if (held.size > 0) return this.#context.found({ by: this.name, policies: held, recompiles: true });
    // Policies changed during the pass. The next pass is already queued.
    if (!isCurrent) return;
    state.policies.proved([...outcomes].flatMap(([policy, { state }]) => (state === 'InForce' ? [policy] : [])));
    if (await this.#reject(result.refused, compiled)) return;
    if (state.policies.rejected.size > 0) again(this.#rejections.againMs);
    if (comeBackMs !== undefined) again(comeBackMs);
    if (unremoved && unremovedFrom) this.#tellUnremoved(unremovedFrom, unremoved);
    else this.#toldUnremoved = undefined;
    if (unremoved) throw unremoved;
  }

  /** @returns whether other policies than before keep their earlier spec from now on */
  async #reject(refused: PassResult['refused'], compiled: Compiled): Promise<boolean> {
    const { state, log } = this.#context;
    const { policies } = state;
    const found = await this.#rejections.find(refused);
    if (!found) return false;
    // Policies may have changed meanwhile.
    const unchanged = new Map([...found].filter(([policy]) => policies.isCompiledAs(policy, compiled)));
    const changed = policies.reject(unchanged);
    if (changed.size === 0) return false;
    for (const policy of changed) {
      const because = unchanged.get(policy);
      if (because === undefined) log.info('the API server accepts the policy again', { policy });
      else log.warn('the API server refuses the program with the policy', { policy, because });
    }
    this.#context.found({ by: this.name, policies: changed, recompiles: true });
    return true;
  }

  /** Writes an Event on the object, because the policy may be deleted, and then has no status. */
  #tellUnremoved(object: Parameters<typeof unremovedEvent>[0], error: Error): void {
    const event = unremovedEvent(object, error, originOf(this.#context));
    if (event.note === this.#toldUnremoved) return;
    this.#toldUnremoved = event.note;
    this.#context.recorder.later(event);
  }

  /**
   * Returns the outcome of a policy. If the newest spec of a policy with `rollout` waits for the labels of namespaces,
   * the method changes the state InForce to Working. During this wait, the policy is not enforced yet, or the policy is
   * enforced with an older selector. If the state of the rollout cannot be saved, the state is Failed.
   */
  #withLabelling(policy: string, outcome: ProgramOutcome, compiled: Compiled): ProgramOutcome {
    const { cluster, state } = this.#context;
    const unsaved = state.outcomes.unsaved.get(policy);
    if (unsaved !== undefined)
      return {
        ...outcome,
        state: 'Failed',
        message: `the state of the rollout cannot be saved in a ConfigMap: ${unsaved}`,
      };
    const { policies, specs, refusals } = compiled;
    const spec = cluster.policy(policy)?.spec;
    const accepted = specs.get(policy);
    if (outcome.state !== 'InForce' || !spec || !rollsOut(spec) || !accepted || refusals.has(policy)) return outcome;
    const hasBegun = policies.some(({ id }) => id === policy);
    const waits = !hasBegun || !isSameSelector(accepted.namespaceSelector, spec.namespaceSelector);
    const message = `existing namespaces first get the label ${rolloutLabel(policy)}: ${ROLLOUT_PENDING}`;
    return waits ? { ...outcome, state: 'Working', message } : outcome;
  }

  /**
   * Stores the outcomes. If a policy has changed after the beginning of the pass, the method leaves out the policy's
   * outcome. The outcome does not apply to the changed policy.
   */
  #remember(outcomes: ReadonlyMap<string, ProgramOutcome>, compiled: Compiled): void {
    const { state, log } = this.#context;
    const { programs } = state.outcomes;
    const unchanged = [...outcomes]
      .filter(([policy]) => state.policies.isCompiledAs(policy, compiled))
      .map(([policy, outcome]) => [policy, this.#withLabelling(policy, outcome, compiled)] as const);
    const changed = unchanged.filter(([policy, outcome]) => !isDeepStrictEqual(programs.get(policy), outcome));
    for (const policy of programs.keys()) if (!outcomes.has(policy)) programs.delete(policy);
    for (const [policy, outcome] of changed) {
      programs.set(policy, outcome);
      if (outcome.isUnprovable) log.warn('a probe was refused', { policy, because: outcome.message });
    }
    this.#context.found({ by: this.name, policies: changed.map(([policy]) => policy) });
  }
}
