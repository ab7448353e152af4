/**
 * A state of the cluster that does not exist yet: some policies are enforced everywhere, or not yet in force in some
 * namespaces.
 */
import { type CompletePolicy, ROLLOUT_PENDING } from '../../operator/api/capability-policy.ts';
import { rolloutLabel } from '../../operator/policy/parts.ts';
import type { Labels } from './context.ts';

export interface Supposed {
  /** The names of the policies that are enforced everywhere at once. */
  readonly enforced?: readonly string[];
  /** The names of the policies whose rollouts have not reached a namespace, by namespace. */
  readonly pending?: ReadonlyMap<string, readonly string[]>;
}

/** The labels of a namespace that the rollouts of these policies have not reached. */
export function withPending(labels: Labels | undefined, policies: readonly string[]): Labels {
  return { ...labels, ...Object.fromEntries(policies.map((policy) => [rolloutLabel(policy), ROLLOUT_PENDING])) };
}

/** The same policy in mode Enforce, without a rollout. */
export function enforcedEverywhere(policy: CompletePolicy): CompletePolicy {
  const { rollout: _, ...spec } = policy.spec;
  return { ...policy, spec: { ...spec, mode: 'Enforce' } };
}
