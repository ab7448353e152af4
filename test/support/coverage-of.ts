import { type Coverage, type Namespace, Selections } from '../../operator/policy/coverage.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';

/** Computes the coverage of each policy from scratch, by the policy's name. */
export function coverageOf(
  policies: readonly ResolvedPolicy[],
  namespaces: readonly Namespace[],
): ReadonlyMap<string, Coverage> {
  const selections = new Selections();
  selections.replace(policies, namespaces);
  return new Map(policies.map((policy) => [policy.name, selections.coverage(policy)]));
}
