/** Sets and removes labels of each namespace: the Pod Security labels, and the labels of rollouts. */
import { isDeepStrictEqual } from 'node:util';
import type { Mode } from '../api/capability-policy.ts';
import { labelRefusal, writeLabels } from '../apply/label-writer.ts';
import { heldBack, type LabelPlan, labelOutcome, planLabels } from '../apply/namespace-labels.ts';
import type { LabelOutcome } from '../apply/outcome.ts';
import { isExempt } from '../apply/pod-security-probe.ts';
import { isTighter, LABEL_OF_MODE, LABEL_PREFIX } from '../compile/labels.ts';
import type { NamespaceView } from '../model/objects.ts';
import { deciding, MODES } from '../policy/deciding.ts';
import { policyOfLabel } from '../policy/parts.ts';
import type { RolloutLabels } from '../promotion/rollouts.ts';
import { restoredLabelEvent } from '../report/rollout-events.ts';
import { namespaceEvents } from '../report/transitions.ts';
import { type Context, type Controller, type Key, originOf } from './controller.ts';
import type { StateChange } from './state-change.ts';

/** The time in ms after which the controller checks again whether the answers that it waits for have come. */
const STATES_AGAIN_MS = 20;
const EXEMPT_FOR_MS = 3_600_000;

export class Labels implements Controller {
  readonly name = 'labels';
  readonly concurrency = 8;
  readonly #context: Context;
  /** The namespaces where a tighter label waits until programs are in force. */
  readonly #waiting = new Set<string>();
  /** The namespaces whose last write was refused. */
  readonly #refused = new Set<string>();

  /** Whether Pod Security exempts a namespace. The key is the namespace, and `asked` comes from performance.now(). */
  readonly #exempt = new Map<string, { uid: string; asked: number; isExempt: boolean }>();

  constructor(context: Context) {
    this.#context = context;
  }

  keysFor({ cause, namespaces }: StateChange): Iterable<Key> {
    if (cause.of === 'found' && cause.by === 'programs') return [...namespaces, ...this.#waiting];
    // Labels do not depend on the right to use a policy.
    return cause.of === 'rbac' ? [] : namespaces;
  }

  async reconcile(name: Key, again: (ms: number) => void): Promise<void> {
    const { client, cluster, state, log } = this.#context;
    // A label replaces the default of Pod Security, so the default must be known first.
    if (state.awaitsRollouts() || !state.outcomes.podSecurity.current) return again(STATES_AGAIN_MS);
    const namespace = cluster.namespace(name);
    if (!namespace || namespace.terminating) {
      state.outcomes.labels.delete(name);
      this.#waiting.delete(name);
      this.#refused.delete(name);
      this.#exempt.delete(name);
      return;
    }
    const enforced = state.promotions.enforcedIn(namespace);
    const plan = planLabels(namespace, this.#labelsForNow(namespace), state.refusing(namespace), enforced);
    const rollout = state.rolloutLabels(namespace);
    let wrote: boolean;
    try {
      wrote = await writeLabels(client, namespace, plan, rollout);
    } catch (error) {
      const refusal = labelRefusal(error, namespace, plan, rollout);
      // A single refusal may be temporary, for example while etcd elects a leader.
      if (refusal && this.#refused.has(name))
        await this.#tell(namespace, { ...state.presentLabels(namespace), refusal });
      if (refusal) this.#refused.add(name);
      throw error;
    }
    this.#refused.delete(name);
    this.#reportRestored(namespace, rollout);
    if (wrote) {
      const labels = { ...plan.labels, ...rollout.set };
      const removed = [...plan.remove, ...rollout.remove];
      log.info('set labels of namespace', { namespace: name, labels, removed, leftToOtherManagers: plan.kept });
    }
    await this.#tell(namespace, await this.#withoutExempt(namespace, this.#outcomeOf(namespace, plan)));
  }

  #outcomeOf(namespace: NamespaceView, plan: LabelPlan): LabelOutcome {
    const left = Object.entries(namespace.labels).filter(([label]) => !plan.remove.includes(label));
    const refusingDefault = this.#context.state.refusingDefault(namespace, {
      ...Object.fromEntries(left),
      ...plan.labels,
    });
    return { ...labelOutcome(namespace.name, plan), ...(refusingDefault && { refusingDefault }) };
  }

  /** In an exempt namespace, Pod Security refuses nothing. */
  async #withoutExempt(namespace: NamespaceView, outcome: LabelOutcome): Promise<LabelOutcome> {
    const { refusingDefault: _, ...rest } = outcome;
    const conflicts = outcome.conflicts.filter(({ refuses }) => !refuses);
    const isClaimed = outcome.refusingDefault !== undefined || conflicts.length < outcome.conflicts.length;
    if (!isClaimed) this.#exempt.delete(namespace.name);
    return isClaimed && (await this.#isExempt(namespace)) ? { ...rest, conflicts } : outcome;
  }

  async #isExempt({ name, uid }: NamespaceView): Promise<boolean> {
    const now = performance.now();
    const known = this.#exempt.get(name);
    if (known?.uid === uid && now - known.asked < EXEMPT_FOR_MS) return known.isExempt;
    const asked = await isExempt(this.#context.client, name);
    this.#exempt.set(name, { uid, asked: now, isExempt: asked });
    return asked;
  }

  async #tell(namespace: NamespaceView, outcome: LabelOutcome): Promise<void> {
    const { state, recorder, log, found } = this.#context;
    const { labels } = state.outcomes;
    const { name } = namespace;
    const before = labels.get(name);
    if (isDeepStrictEqual(outcome, before)) return;
    // The controller writes the Events before it stores the outcome. If an Event cannot be written, the controller
    // tries the key again, and so writes the Event again.
    const refusals = await recorder.tell(namespaceEvents(namespace, before, outcome, originOf(this.#context)));
    for (const error of refusals) log.warn('an Event was refused', { namespace: name, error });
    labels.set(name, outcome);
    found({ by: this.name, namespace: name });
  }

  /**
   * A tighter label waits for the programs of the namespace's deciding policies. The programs must be in force before
   * the operator sets the label. Without this order, the operator could set the label before an exception is in force.
   * In this case, the label would refuse pods that both the old state and the new state admit.
   */
  #labelsForNow(namespace: NamespaceView): Record<string, string> {
    const { state, cluster } = this.#context;
    const wanted = state.wantedLabels(namespace);
    const held = heldBack(namespace, wanted, (label, ours) => {
      const mode = MODES.find((one) => label === `${LABEL_PREFIX}${LABEL_OF_MODE[one]}`) ?? 'Enforce';
      return !this.#isInForce(namespace, mode) && isTighter(LABEL_OF_MODE[mode], wanted, ours, cluster.oldestServer);
    });
    if (isDeepStrictEqual(held, wanted)) this.#waiting.delete(namespace.name);
    else this.#waiting.add(namespace.name);
    return held;
  }

  /**
   * The labels of a mode depend on some programs. Returns whether all of these programs are in force. The labels of a
   * mode depend on the policies of this mode, and may depend on the policies of mode Enforce.
   */
  #isInForce(namespace: NamespaceView, mode: Mode): boolean {
    const { state } = this.#context;
    const [policies, labels] = [state.policies.selecting(namespace.name), state.policies.effectiveLabels(namespace)];
    const deciders = [...new Set([mode, 'Enforce' as const])].flatMap((one) => deciding(policies, one, labels));
    return deciders.every(({ name }) => state.outcomes.programs.get(name)?.state === 'InForce');
  }

  /** Reports that somebody removed or changed the label of a rollout. */
  #reportRestored(namespace: NamespaceView, { set }: RolloutLabels): void {
    const { state, recorder, cluster } = this.#context;
    for (const label of state.promotions.missingAgain(namespace, set)) {
      const policy = policyOfLabel(label);
      recorder.later(restoredLabelEvent(policy, namespace, cluster.policy(policy), originOf(this.#context)));
    }
  }
}
