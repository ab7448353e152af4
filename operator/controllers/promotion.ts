/** Enforces each policy with `rollout`, namespace by namespace. */
import { isDeepStrictEqual } from 'node:util';
import type { CompletePolicy } from '../api/capability-policy.ts';
import { KeptRollouts } from '../apply/kept-rollouts.ts';
import { isEnforcedByLabel } from '../apply/namespace-labels.ts';
import { rowOf } from '../compile/program.ts';
import { leftOutBy } from '../compile/rbac.ts';
import { evaluatingSeen, type PromotionVerdict } from '../evaluate/promotion.ts';
import { pendingPartOf, rolloutLabel } from '../policy/parts.ts';
import { runToEnd } from '../policy/run-to-end.ts';
import { isSameSelector, matches } from '../policy/selector.ts';
import { isRecorded } from '../promotion/enforced-record.ts';
import type { StepInput, StepResult } from '../promotion/input.ts';
import { progressOf } from '../promotion/progress.ts';
import {
  type Entry,
  isLabelled,
  isPending,
  isUnbegun,
  leftOutByName,
  type RolloutState,
  rollsOut,
} from '../promotion/state.ts';
import { step } from '../promotion/step.ts';
import { beginningEvent } from '../report/rollout-events.ts';
import { promotionEvent } from '../report/rollout-progress-events.ts';
import { regardingPolicy } from '../report/transitions.ts';
import { Cooldown } from '../runtime/cooldown.ts';
import { enforcedSpecs } from '../state/accepted-specs.ts';
import { type Context, type Controller, type Key, originOf } from './controller.ts';
import type { StateChange } from './state-change.ts';

/** A key waits for more changes for this time in ms. A burst of changes therefore leads to one write. */
const DELAY_MS = 100;
/**
 * The maximum wait in ms before the next step. The wall clock determines when a soak has ended, and somebody may set
 * the wall clock.
 */
const MOST_AGAIN_MS = 60_000;
/** The time in ms until a refused state is written again. */
const UNSAVED_AGAIN_MS = 10_000;
/** The key for the states of deleted policies. No policy has an empty name. */
const RETIRED = '';
/** The time in ms between two looks for states of deleted policies that were kept long enough. */
const RETIRED_AGAIN_MS = 3_600_000;

export class Promotion implements Controller {
  readonly name = 'promotion';
  readonly concurrency = 4;
  readonly #context: Context;
  readonly #kept: KeptRollouts;
  /**
   * The cooldown limits the CPU time of steps. Every step, and every computation of progress, reads all namespaces.
   * While the operator labels and evaluates thousands of namespaces, each write of a label and each evaluation causes a
   * step.
   */
  readonly #cooldown = new Cooldown({ times: 19, mostMs: 2_000 });

  /** @param operatorNamespace the namespace of the ConfigMaps with the states of rollouts */
  constructor(context: Context, operatorNamespace: string) {
    this.#context = context;
    this.#kept = new KeptRollouts(context, operatorNamespace);
  }

  keysFor({ cause, policies }: StateChange): Iterable<Key> {
    const { cluster, state } = this.#context;
    // If a policy had a rollout under an earlier leader, the saved state of this rollout may still exist.
    if (cause.of === 'term') return [...policies, RETIRED];
    if (cause.of === 'policy') return [cause.name];
    if (cause.of === 'namespace') return this.#concernedBy(cause.name);
    if (cause.of === 'found' && cause.by === this.name) return [];
    if (cause.of === 'found' && cause.by === 'evaluation')
      return state.promotionVerdicts.policiesIn(cause.namespace ?? '');
    return [...policies].filter((name) => cluster.policy(name)?.spec.rollout || state.promotions.get(name));
  }

  delay(policy: Key, { recompiles }: StateChange): number {
    return recompiles ? 0 : Math.max(DELAY_MS, this.#cooldown.left(policy));
  }

  async reconcile(name: Key, again: (ms: number) => void): Promise<void> {
    const { cluster, state } = this.#context;
    if (name === RETIRED) {
      for (const retired of await this.#kept.retired()) if (await this.#kept.retire(retired)) this.#forget(retired);
      return again(RETIRED_AGAIN_MS);
    }
    const policy = cluster.policy(name);
    const { refusals, held, specs } = state.policies.compiled;
    const spec = refusals.has(name) || held.has(name) ? specs.get(name) : policy?.spec;
    // The policy was never accepted.
    if (policy && !spec) return;
    if (!policy || !spec) return this.#end(name, () => this.#kept.retire(name));
    if (spec.mode !== 'Enforce' || state.policies.hasExpired(name))
      return this.#end(name, () => this.#kept.rest(policy));
    if (!rollsOut(spec)) return this.#end(name, () => this.#kept.remove(name));
    const before = await this.#kept.stateOf(policy);
    // If the policies have changed since the step began, the step starts again.
    if (state.policies.isStale) return again(0);
    // The step reads the cluster and decides without a pause for other work. The cluster state therefore cannot change
    // between the reads and the decision.
    const input = this.#input(name, { rollout: spec.rollout, selector: spec.namespaceSelector, state: before });
    const began = performance.now();
    const result = step(input);
    const progress = progressOf(input, result);
    const spentMs = performance.now() - began;
    const isNew = state.promotions.get(name) !== before;
    // The first state must be saved before the operator writes any object that depends on this state. If a crash lost
    // the first state, the next process would derive a state from labels that anybody may have set.
    const { unsaved } = state.outcomes;
    if (isFirst(before)) await this.#tellBeginning(policy, result.state);
    if (isNew || result.state !== before || unsaved.has(name)) {
      await this.#save(name, result.state);
      if (this.#context.signal.aborted) return;
      // During the write, the rollout ended and its state was forgotten. The state of this step is therefore no longer
      // true.
      if (!isNew && state.promotions.get(name) !== before) return again(0);
    }
    state.promotions.set(name, result.state);
    const shown = state.outcomes.progress.get(name);
    state.outcomes.progress.set(name, progress);
    if (isNew || result.state !== before) this.#publish(name, isNew ? undefined : before, result.state);
    // The state has not changed, but the workloads that block the rollout have changed.
    else if (!isDeepStrictEqual(progress, shown)) this.#context.found({ by: this.name, policies: [name] });
    this.#reportEnforced(policy, result);
    this.#cooldown.start(name, spentMs);
    if (unsaved.has(name)) again(UNSAVED_AGAIN_MS);
    // If this step changed the state, another step has to continue from the changed state.
    if (result.state !== before) again(Math.max(DELAY_MS, this.#cooldown.left(name)));
    else if (result.next) again(Math.min(MOST_AGAIN_MS, Math.max(DELAY_MS, result.next.at - state.now())));
  }

  /**
   * Saves the state. If the API server refuses the ConfigMap, the rollout goes on without it, so that the policy is
   * enforced in new namespaces. After a restart, the row of the policy and the labels show the state.
   * @throws the client's error if the error may be temporary
   */
  async #save(name: string, next: RolloutState): Promise<void> {
    const { unsaved } = this.#context.state.outcomes;
    const before = unsaved.get(name);
    const refusal = await this.#kept.write(name, next);
    if (refusal === undefined) unsaved.delete(name);
    else unsaved.set(name, refusal);
    if (unsaved.get(name) === before) return;
    const error = unsaved.get(name);
    if (error) this.#context.log.warn('the state of the rollout is refused', { policy: name, error });
    this.#context.found({ by: this.name, policies: [name], recompiles: true });
  }

  /** Yields the name of each policy that has a rollout, if a change of the namespace concerns the policy. */
  *#concernedBy(namespace: string): Generator<string> {
    const { cluster, state } = this.#context;
    const labels = cluster.namespace(namespace)?.labels;
    for (const { metadata, spec } of cluster.policies()) {
      const name = metadata?.name ?? '';
      if (!spec.rollout) continue;
      const has = state.promotions.get(name)?.namespaces.has(namespace);
      const may = labels && (Object.hasOwn(labels, rolloutLabel(name)) || matches(spec.namespaceSelector, labels));
      if (has || may) yield name;
    }
  }

  #input(name: string, given: Pick<StepInput, 'rollout' | 'selector' | 'state'>): StepInput {
    const { cluster, state } = this.#context;
    const existingSelector = enforcedSpecs(cluster.rendered()).get(name)?.namespaceSelector;
    return {
      ...given,
      ...(existingSelector && { existingSelector }),
      policy: name,
      namespaces: cluster.namespaces().filter((namespace) => state.policies.isReached(namespace)),
      verdict: (namespace) => this.#verdict(name, namespace),
      currentVerdict: (namespace) => this.#currentVerdict(name, namespace),
      excluded: state.policies.excluded,
      isRefused: (namespace) => {
        const { set = [], remove = [] } = state.outcomes.labels.get(namespace)?.refusal ?? {};
        return [...set, ...remove].includes(rolloutLabel(name));
      },
      settled: this.#isInForce(name),
      now: state.now(),
    };
  }

  #verdict(policy: string, namespace: string): PromotionVerdict | undefined {
    const { state } = this.#context;
    return state.promotionVerdicts.get(namespace, policy, {
      policies: state.policies.selecting(namespace),
      use: state.policies.use,
    });
  }

  /**
   * The verdict at this moment. The verdict includes every object that the watches have shown since the last
   * evaluation. In a busy namespace, there is always a change to evaluate.
   */
  #currentVerdict(name: string, namespace: string): PromotionVerdict | undefined {
    const { state, cluster } = this.#context;
    const { evaluator } = state;
    const { use } = state.policies;
    const last = this.#verdict(name, namespace);
    const seen = state.seen.in(namespace);
    const view = cluster.namespace(namespace);
    const policies = state.policies.selecting(namespace);
    const policy = policies.find(({ id }) => id === pendingPartOf(name));
    if (!last || !view || !policy) return undefined;
    const labels = state.policies.effectiveLabels(view);
    const violatedAt = runToEnd(evaluatingSeen({ policy, policies, labels, seen, cluster }, { evaluator, use }));
    return violatedAt === undefined ? last : { ...last, violatedAt: Math.max(violatedAt, last.violatedAt ?? 0) };
  }

  /** Whether every API server enforces the newest rows of the two parts of the policy, and enforces no older rows. */
  #isInForce(policy: string): boolean {
    const { state } = this.#context;
    const outcome = state.outcomes.programs.get(policy);
    // The enforced part comes first.
    const part = state.policies.compiled.policies.find(({ name }) => name === policy);
    return outcome?.state === 'InForce' && part !== undefined && outcome.row === rowOf(part, state.policies.compiled);
  }

  /**
   * @param before the state of the rollout before the step. If `after` is the first state of a term, `before` is
   * undefined
   */
  #publish(policy: string, before: RolloutState | undefined, after: RolloutState): void {
    const { state, found } = this.#context;
    const { compiled } = state.policies;
    const spec = compiled.specs.get(policy);
    const grant = compiled.grants.get(policy);
    // The first compilation of a term leaves out the namespaces in the annotation of the role.
    const leftOut = grant ? leftOutBy(grant) : '';
    const isCurrent =
      after.begun === compiled.policies.some(({ id }) => id === policy) &&
      leftOutByName(after).join(' ') === leftOut &&
      (!after.selector || (spec !== undefined && isSameSelector(spec.namespaceSelector, after.selector)));
    found({
      by: this.name,
      policies: [policy],
      namespaces: [...changedIn(before?.namespaces ?? new Map(), after.namespaces), ...this.#newlyIn(before, after)],
      recompiles: !isCurrent,
    });
  }

  /** The namespaces whose records change, because another selector is in force on every API server. */
  #newlyIn(before: RolloutState | undefined, after: RolloutState): string[] {
    if (before?.inForce === after.inForce) return [];
    const selectors = [before?.inForce, after.inForce].filter((selector) => selector !== undefined);
    const namespaces = this.#context.cluster.namespaces();
    return namespaces.flatMap(({ name, labels }) =>
      selectors.some((selector) => matches(selector, labels)) ? [name] : [],
    );
  }

  /**
   * Reports that the rollout begins where Pod Security enforces a level. The Event is written before the state is saved:
   * after a crash in between, the next process writes the same Event.
   */
  async #tellBeginning(policy: CompletePolicy, { namespaces }: RolloutState): Promise<void> {
    const { recorder, cluster, log } = this.#context;
    const pending = [...namespaces].flatMap(([name, entry]) =>
      isPending(entry) ? (cluster.namespace(name) ?? []) : [],
    );
    const labelled = pending.filter(isEnforcedByLabel).map(({ name }) => name);
    if (labelled.length === 0) return;
    const event = beginningEvent(policy, { pending: pending.length, labelled }, originOf(this.#context));
    for (const error of await recorder.tell([event]))
      log.warn('an Event was refused', { policy: policy.metadata?.name, error });
  }

  #reportEnforced(policy: CompletePolicy, { promoted, enforced }: StepResult): void {
    const { recorder, cluster, log } = this.#context;
    const of = policy.metadata?.name;
    for (const namespace of promoted) log.info('decided to enforce in namespace', { policy: of, namespace });
    for (const name of enforced) {
      const namespace = cluster.namespace(name);
      log.info('promoted namespace', { policy: of, namespace: name });
      if (namespace) recorder.later(promotionEvent(namespace, regardingPolicy(policy), originOf(this.#context)));
    }
  }

  /**
   * Ends the rollout of a policy, because the policy rests or no longer has `rollout`.
   * @param keep keeps or deletes the saved state. Returns whether the rollout is over and will not go on
   */
  async #end(name: string, keep: () => Promise<boolean>): Promise<void> {
    const { state, found } = this.#context;
    const before = state.promotions.get(name);
    const isOver = await keep();
    if (this.#context.signal.aborted) return;
    if (isOver) this.#forget(name);
    this.#cooldown.forget(name);
    state.outcomes.unsaved.delete(name);
    state.outcomes.progress.delete(name);
    if (!before) return;
    state.promotions.delete(name);
    found({ by: this.name, policies: [name], namespaces: [...before.namespaces.keys()] });
  }

  /** The records of namespaces need not say any more where the policy is enforced. */
  #forget(policy: string): void {
    const { state, cluster, found } = this.#context;
    state.promotions.end(policy);
    const recorded = cluster.namespaces().filter((namespace) => isRecorded(namespace, rolloutLabel(policy)));
    if (recorded.length > 0) found({ by: this.name, namespaces: recorded.map(({ name }) => name) });
  }
}

/** Whether nothing is known about a rollout before its first step. */
function isFirst(state: RolloutState): boolean {
  return isUnbegun(state) && !state.labelling && state.namespaces.size === 0;
}

/**
 * Finds the namespaces where the deciding part of the policy has changed. The result also has the namespaces where the
 * label of the rollout changes.
 */
function changedIn(before: ReadonlyMap<string, Entry>, after: ReadonlyMap<string, Entry>): string[] {
  const meaning = (entry: Entry | undefined) => (entry ? `${entry.uid} ${isPending(entry)} ${isLabelled(entry)}` : '');
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].filter((name) => meaning(before.get(name)) !== meaning(after.get(name)));
}
