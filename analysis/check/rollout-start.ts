/**
 * Predicts how the rollouts of the candidate policies begin. In each namespace, a policy is enforced at once, soaks or
 * is blocked.
 */
import { type CompleteRollout, ROLLOUT_PENDING } from '../../operator/api/capability-policy.ts';
import { rolloutLabel } from '../../operator/policy/parts.ts';
import { matches } from '../../operator/policy/selector.ts';
import { beginsAtOnce } from '../../operator/promotion/duration.ts';
import type { EvaluatedContext } from '../policies/context.ts';
import type { PendingPolicies } from '../policies/supposed.ts';
import type { RolloutStart } from './changes-result.ts';

export interface RolloutInput {
  /** The candidates of mode Enforce with `spec.rollout`. The key is the policy's name. */
  readonly rollouts: ReadonlyMap<string, CompleteRollout>;
  /** The live policies. */
  readonly before: EvaluatedContext;
  /**
   * The live policies together with the candidates. In this context, the candidates are enforced in every namespace.
   */
  readonly enforced: EvaluatedContext;
}

/** @param isBlocked whether a workload in the namespace violates the candidates */
export function rolloutStarts(
  namespace: string,
  isBlocked: boolean,
  { rollouts, before, enforced }: RolloutInput,
): RolloutStart[] {
  const selected = enforced.compiled.policies.filter(
    ({ name, selector }) => rollouts.has(name) && matches(selector, enforced.labelsOf(namespace)),
  );
  return selected.map(({ name: policy }) => {
    if (isEnforced(policy, namespace, before)) return { policy, state: 'Enforced' };
    if (isBlocked) return { policy, state: 'Blocked' };
    const rollout = rollouts.get(policy);
    const isPending = before.labelsOf(namespace)[rolloutLabel(policy)] === ROLLOUT_PENDING;
    return { policy, state: rollout && beginsAtOnce(rollout) && !isPending ? 'EnforcedAtOnce' : 'Soaking' };
  });
}

/** Whether the live policy with this name is already enforced in the namespace. */
function isEnforced(policy: string, namespace: string, before: EvaluatedContext): boolean {
  const labels = before.labelsOf(namespace);
  return before.compiled.policies.some(
    ({ name, mode, selector }) => name === policy && mode === 'Enforce' && matches(selector, labels),
  );
}

/** Whether each rollout would be pending in each namespace. The key is the namespace's name. */
export function pendingIn(starts: ReadonlyMap<string, readonly RolloutStart[]>): Map<string, PendingPolicies> {
  const isPending = ({ state }: RolloutStart) => state === 'Soaking' || state === 'Blocked';
  return new Map(
    [...starts].map(([namespace, all]) => [namespace, new Map(all.map((one) => [one.policy, isPending(one)]))]),
  );
}
