/** A hypothetical state of a cluster: some policies are enforced everywhere, or are pending in some namespaces. */
import { type CompletePolicy, ROLLOUT_PENDING } from '../../operator/api/capability-policy.ts';
import { rolloutLabel } from '../../operator/policy/parts.ts';
import type { Labels, LivePolicies } from './context.ts';

export interface Supposed {
  /** The policies of the cluster. */
  readonly live?: LivePolicies;
  /** The names of the policies that are enforced in every namespace, without a rollout. */
  readonly enforced?: readonly string[];
  /** The rollouts in each namespace. The key is the namespace's name. */
  readonly pending?: ReadonlyMap<string, PendingPolicies>;
}

/** Whether a policy with a rollout is pending in a namespace. The key is the policy's name. */
export type PendingPolicies = ReadonlyMap<string, boolean>;

/** The labels of a namespace in which the given policies are pending or enforced. */
export function withPending(labels: Labels | undefined, policies: PendingPolicies): Labels {
  const known = new Set([...policies.keys()].map(rolloutLabel));
  const others = Object.entries(labels ?? {}).filter(([key]) => !known.has(key));
  const pending = [...policies]
    .filter(([, isPending]) => isPending)
    .map(([name]) => [rolloutLabel(name), ROLLOUT_PENDING]);
  return Object.fromEntries([...others, ...pending]);
}

/** A copy of the policy in mode Enforce, without a rollout. */
export function enforcedEverywhere(policy: CompletePolicy): CompletePolicy {
  const { rollout: _, ...spec } = policy.spec;
  return { ...policy, spec: { ...spec, mode: 'Enforce' } };
}
