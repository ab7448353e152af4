/**
 * A reference model of a rollout. The model is plain code that follows the documentation of the API. The model does not
 * split a policy into two parts.
 */
import type { Mode } from '../../../operator/api/capability-policy.ts';
import type { ResolvedPolicy } from '../../../operator/policy/resolve.ts';
import { filled } from '../filling/reference-model.ts';
import type { StatedPod } from '../reference/pod.ts';
import { broken } from '../reference/reference-model.ts';

export interface RolloutFacts {
  /** The mode of the policy in namespaces that are still pending. */
  readonly meanwhile: Mode;
  /** Whether the label is set on all namespaces where the policy must not be enforced yet. */
  readonly begun: boolean;
}

interface NamespaceFacts {
  readonly labels: Readonly<Record<string, string>>;
  readonly rollouts?: ReadonlyMap<string, RolloutFacts>;
}

/**
 * The policy's mode in a namespace. A namespace where the policy is not enforced yet has the label
 * rollout.capabilitypolicy.dev/<policy>: pending. Before the rollout has begun, the policy is enforced nowhere.
 */
export function modeIn(namespace: NamespaceFacts, { name, mode }: ResolvedPolicy): Mode | undefined {
  const rollout = namespace.rollouts?.get(name);
  if (!rollout) return mode;
  if (isPendingIn(namespace, name)) return rollout.meanwhile;
  return rollout.begun ? mode : undefined;
}

export function isPendingIn({ labels, rollouts }: NamespaceFacts, policy: string): boolean {
  return rollouts?.has(policy) === true && labels[labelOf(policy)] === 'pending';
}

/**
 * The namespace without its rollout label. The function sets `begun`. The namespace is therefore evaluated without its
 * label even if the rollout has not begun.
 */
export function promotedIn<T extends NamespaceFacts>(namespace: T, policy: string): T {
  const { [labelOf(policy)]: _, ...labels } = namespace.labels;
  const rollouts = new Map(namespace.rollouts);
  const rollout = rollouts.get(policy);
  if (rollout) rollouts.set(policy, { ...rollout, begun: true });
  return { ...namespace, labels, rollouts };
}

function labelOf(policy: string): string {
  return `rollout.capabilitypolicy.dev/${policy}`;
}

/**
 * Whether the policy would admit the pod after the promotion. If the policy would refuse the pod, the creator sees a
 * warning. The policy will not refuse a pod that complies after filling.
 */
export function wouldComply(namespace: NamespaceFacts, policy: ResolvedPolicy, pod: StatedPod): boolean {
  return isPendingIn(namespace, policy.name) && compliesFilled(policy, pod);
}

/** Whether the pod complies after defaulting. */
export function compliesFilled(policy: ResolvedPolicy, pod: StatedPod): boolean {
  return policy.defaulting && broken(policy, filled(policy, pod)).length === 0;
}
