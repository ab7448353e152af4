/**
 * Removes the labels of ended rollouts from namespaces. Each label belongs to the rollout of one policy. If the policy
 * no longer has a rollout, the controller removes the label. Before that, the controller waits until no admission
 * policy in the cluster uses the label.
 */
import { ROLLOUT_LABEL_PREFIX } from '../api/capability-policy.ts';
import type { RenderedObject } from '../model/objects.ts';
import { perObject } from '../policy/memo.ts';
import { policyOfLabel } from '../policy/parts.ts';
import { rolloutLabelsIn } from '../promotion/rollouts.ts';
import { hasText } from '../state/live.ts';
import type { Context, Controller, Key } from './controller.ts';
import type { StateChange } from './state-change.ts';

/** The controller has a single key, because the labels that can be removed depend on all policies. */
const ALL = ['all'];
const DELAY_MS = 500;
/**
 * The time in ms to wait before a label is removed. An API server may still enforce a deleted admission policy. If a
 * label is gone too early, this API server refuses pods in the namespace. The API server needs time to see the deletion
 * and to compile the change.
 */
const UNLOADED_MS = 3_000;

export class LeftoverLabels implements Controller {
  readonly name = 'leftover-labels';
  readonly #context: Context;
  /**
   * For each label, the time from which no object in the cluster has used the label. The time comes from
   * performance.now(). The key is the label.
   */
  readonly #unusedSince = new Map<string, number>();

  constructor(context: Context) {
    this.#context = context;
  }

  keysFor({ cause }: StateChange): Iterable<Key> {
    if (cause.of === 'term' || cause.of === 'policy') return ALL;
    if (cause.of === 'rendered') return this.#unusedSince.size > 0 ? ALL : [];
    if (cause.of !== 'namespace') return [];
    const labels = this.#context.cluster.namespace(cause.name)?.labels ?? {};
    return rolloutLabelsIn(labels).some((label) => !this.#isWanted(label)) ? ALL : [];
  }

  delay(): number {
    return DELAY_MS;
  }

  async reconcile(_key: Key, again: (ms: number) => void): Promise<void> {
    const { cluster, state, found } = this.#context;
    const holders = Map.groupBy(
      cluster.namespaces().flatMap(({ name, labels }) => rolloutLabelsIn(labels).map((label) => ({ name, label }))),
      ({ label }) => label,
    );
    const leftover = [...holders.keys()].filter((label) => !this.#isWanted(label));
    for (const label of this.#unusedSince.keys()) if (!leftover.includes(label)) this.#unusedSince.delete(label);
    if (leftover.length > 0) again(UNLOADED_MS);
    const asked = leftover.length === 0 ? new Set() : new Set(cluster.rendered().flatMap(labelsAsked));
    const now = performance.now();
    // While an API server compiles other policies, the server may continue to enforce a deleted policy.
    const isBusy = state.outcomes.programs.values().some((outcome) => outcome.state === 'Working');
    for (const label of leftover) {
      if (asked.has(label) || state.policies.isStale || isBusy) this.#unusedSince.set(label, Number.POSITIVE_INFINITY);
      else this.#unusedSince.set(label, Math.min(now, this.#unusedSince.get(label) ?? now));
    }
    const unused = leftover.filter((label) => now - (this.#unusedSince.get(label) ?? now) >= UNLOADED_MS);
    state.promotions.unused = new Set(unused);
    const namespaces = unused.flatMap((label) => (holders.get(label) ?? []).map(({ name }) => name));
    if (namespaces.length > 0) found({ by: this.name, namespaces });
  }

  /** Whether a policy has this rollout. */
  #isWanted(label: string): boolean {
    const { cluster, state } = this.#context;
    const name = policyOfLabel(label);
    return cluster.policy(name)?.spec.rollout !== undefined && !state.policies.hasExpired(name);
  }
}

/** The labels of rollouts that an admission policy reads. */
const labelsAsked: (object: RenderedObject) => string[] = perObject((object) =>
  hasText(object) ? (JSON.stringify(object.spec).match(LABELS) ?? []) : [],
);
const LABELS = new RegExp(`${ROLLOUT_LABEL_PREFIX.replaceAll('.', '\\.')}[A-Za-z0-9._-]+`, 'g');
