/** Finds the entries of `spec.containers` that containers of a pod need to comply with the policy. */
import type { Evaluator } from '../../operator/evaluate/violations.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import { checksOf, type ResolvedPolicy } from '../../operator/policy/resolve.ts';

export interface PassesBy {
  readonly policy: string;
  /** The path of the entry: `spec.containers[0]`. */
  readonly entry: string;
  /** The messages of the rules that the container would violate without the entry. */
  readonly without: readonly string[];
}

/**
 * For each container, the entry that the container needs to comply with the policy. The key is the container's name. If
 * the policy's defaulting fills in the pod, the filled pod is evaluated.
 */
export function passingByEntry(
  pod: PodContent,
  policy: ResolvedPolicy,
  evaluator: Evaluator,
): ReadonlyMap<string, PassesBy> {
  const broken = evaluator.violations(pod, policy, true);
  const violates = new Set(broken.map(({ container }) => container));
  const messages = new Set(broken.map(({ message }) => message));
  const entries = policy.containers.flatMap(({ names }, index) => {
    const without = evaluator
      .violations(pod, withoutEntry(policy, index), true)
      .filter(({ container, message }) => container !== undefined && !messages.has(message));
    return names
      .filter((name) => !violates.has(name))
      .flatMap((name): [string, PassesBy][] => {
        const own = without.filter(({ container }) => container === name).map(({ message }) => message);
        return own.length > 0
          ? [[name, { policy: policy.name, entry: `spec.containers[${index}]`, without: own }]]
          : [];
      });
  });
  return new Map(entries);
}

function withoutEntry(policy: ResolvedPolicy, index: number) {
  const rest = { ...policy, containers: policy.containers.toSpliced(index, 1) };
  return { checks: checksOf(rest, false), filledChecks: checksOf(rest, policy.defaulting) };
}
