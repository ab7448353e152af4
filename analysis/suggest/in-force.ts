/**
 * Finds the policies that decide in a namespace now. Also finds the policies that will decide in the namespace when
 * their rollouts have reached the namespace.
 */
import type { CompleteSpec, Mode } from '../../operator/api/capability-policy.ts';
import { MODES } from '../../operator/policy/deciding.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import { matches } from '../../operator/policy/selector.ts';
import type { PolicyContext } from '../policies/context.ts';
import type { Beside } from './beside.ts';

export interface InForceInput {
  /** The policies of the cluster, evaluated with the labels that its namespaces have now. */
  readonly live: PolicyContext;
  /** The policies of the cluster and of files, evaluated as if every rollout had reached every namespace. */
  readonly promoted: PolicyContext;
  /** The names of the policies that have a rollout. */
  readonly rollouts: ReadonlySet<string>;
}

export class InForce {
  readonly #input: InForceInput;

  constructor(input: InForceInput) {
    this.#input = input;
  }

  /**
   * The strictest mode in which a policy decides in the namespace. The result is undefined if no policy decides in the
   * namespace.
   */
  strictest(namespace: string): Mode | undefined {
    return this.#input.promoted.deciding(namespace)[0]?.mode;
  }

  /**
   * Whether every policy that will decide in the namespace is pending in the namespace. Until the rollouts have reached
   * the namespace, policies of a lower priority decide.
   */
  isWaiting(namespace: string): boolean {
    const [first] = this.#input.promoted.deciding(namespace);
    return first?.mode === 'Enforce' && first.policies.every((policy) => this.#isPending(policy, namespace));
  }

  /** Whether a policy of the given mode, or of a stricter mode, selects a namespace. */
  hasPolicies(mode: Mode): boolean {
    return this.#input.promoted.compiled.policies.some((policy) => MODES.indexOf(policy.mode) <= MODES.indexOf(mode));
  }

  /**
   * The existing policies of the namespace. Exceptions are suggested in addition to these policies.
   *
   * @param mode the mode of the exceptions; by default, the strictest mode in which a policy decides in the namespace
   * @returns undefined if no policy of the mode decides in the namespace
   */
  beside(namespace: string, mode = this.strictest(namespace)): Beside | undefined {
    const { promoted } = this.#input;
    const { policies = [] } = promoted.deciding(namespace).find((one) => one.mode === mode) ?? {};
    const [first] = policies;
    if (!first || mode === undefined) return undefined;
    const { specs } = promoted.compiled;
    return {
      mode,
      priority: first.priority,
      deciding: policies,
      // A pending policy with restricted use admits nothing yet. A copy of such a policy would have no users, so the
      // list leaves out the pending policy.
      admitting: policies.filter((policy) => policy.usableBy === 'Everyone' || !this.#isPending(policy, namespace)),
      pending: this.#pending(policies, namespace, specs),
      specs,
      evaluation: promoted.evaluation,
    };
  }

  /**
   * The pending policies that must be enforced at once. If the pending policies were not enforced at once, the
   * exceptions would be the only deciding policies. If an enforced policy of the same priority is for everybody, the
   * exceptions decide together with this policy. In this case, no pending policy is enforced early.
   */
  #pending(deciding: readonly ResolvedPolicy[], namespace: string, specs: ReadonlyMap<string, CompleteSpec>) {
    const forEveryone = deciding.filter(({ usableBy }) => usableBy === 'Everyone');
    const pending = forEveryone.filter((policy) => this.#isPending(policy, namespace));
    const needed = pending.length < forEveryone.length ? [] : pending;
    return new Map(
      needed.flatMap(({ name }) => {
        const spec = specs.get(name);
        return spec ? [[name, spec] as const] : [];
      }),
    );
  }

  #isPending({ name }: ResolvedPolicy, namespace: string): boolean {
    const { live, rollouts } = this.#input;
    if (!rollouts.has(name)) return false;
    const labels = live.labelsOf(namespace);
    return !live.compiled.policies.some(
      (policy) => policy.name === name && policy.mode === 'Enforce' && matches(policy.selector, labels),
    );
  }
}
