/** A hypothetical state of a cluster: some policies are enforced everywhere, or are pending in some namespaces. */
import { type CompletePolicy, ROLLOUT_PENDING } from '../../operator/api/capability-policy.ts';
import { rolloutLabel } from '../../operator/policy/parts.ts';
import type { Labels } from './context.ts';

export interface Supposed {
  /** The names of the policies that are enforced everywhere at once. */
  readonly enforced?: readonly string[];
  /** The names of the policies whose rollouts have not reached a namespace. The key is the namespace's name. */
  readonly pending?: ReadonlyMap<string, readonly string[]>;
}

/** The labels of a namespace in which the given policies are pending. */
export function withPending(labels: Labels | undefined, policies: readonly string[]): Labels {
  return { ...labels, ...Object.fromEntries(policies.map((policy) => [rolloutLabel(policy), ROLLOUT_PENDING])) };
}

/** A copy of the policy in mode Enforce, without a rollout. */
export function enforcedEverywhere(policy: CompletePolicy): CompletePolicy {
  const { rollout: _, ...spec } = policy.spec;
  return { ...policy, spec: { ...spec, mode: 'Enforce' } };
}
