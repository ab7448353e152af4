import { type Coverage, type Namespace, Selections } from '../../operator/policy/coverage.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';

/** The coverage of each policy, by name, computed from scratch. */
export function coverageOf(
  policies: readonly ResolvedPolicy[],
  namespaces: readonly Namespace[],
): ReadonlyMap<string, Coverage> {
  const selections = new Selections();
  selections.replace(policies, namespaces);
  return new Map(policies.map((policy) => [policy.name, selections.coverage(policy)]));
}
