/**
 * Finds the deciding policies of a namespace. If several policies of one mode select the namespace, the policies with
 * the highest priority decide.
 */
import type { Mode } from '../api/capability-policy.ts';
import { isMatch } from '../rules/cel.ts';
import type { ResolvedPolicy } from './resolve.ts';
import { matches, mayOverlap } from './selector.ts';

export const MODES: readonly Mode[] = ['Enforce', 'Warn', 'Audit'];

/** Returns the policies that decide about pods of a namespace with these labels, in the given order. */
export function deciding(
  policies: readonly ResolvedPolicy[],
  mode: Mode,
  labels: Readonly<Record<string, string>>,
): ResolvedPolicy[] {
  const selecting = policies.filter((policy) => policy.mode === mode && matches(policy.selector, labels));
  const highest = Math.max(...selecting.map(({ priority }) => priority));
  return selecting.filter(({ priority }) => priority === highest);
}

/**
 * The other policies that may affect the decisions of this policy. These policies have the same mode, at least the same
 * priority, and an overlapping selector.
 */
export function influencing(policy: ResolvedPolicy, policies: readonly ResolvedPolicy[]): ResolvedPolicy[] {
  return policies.filter(
    (other) =>
      other.name !== policy.name &&
      other.mode === policy.mode &&
      other.priority >= policy.priority &&
      mayOverlap(other.selector, policy.selector),
  );
}

/** Returns the other policies whose decisions may depend on the given policy. */
export function influencedBy(policy: ResolvedPolicy, policies: readonly ResolvedPolicy[]): ResolvedPolicy[] {
  return policies.filter((other) => influencing(other, [policy]).length > 0);
}

/**
 * Whether the operator evaluates the pods and workloads of a namespace. The operator does not evaluate a namespace that
 * is being deleted, because no object can be created in such a namespace (admission plugin NamespaceLifecycle).
 */
export function isReached(
  { name, terminating }: { readonly name: string; readonly terminating: boolean },
  patterns: readonly string[],
): boolean {
  return !terminating && !isExcluded(name, patterns);
}

/**
 * Whether no policy reaches the namespace.
 * @param patterns each item is the name of a namespace, or a prefix that ends in `*`
 */
export function isExcluded(namespace: string, patterns: readonly string[]): boolean {
  return isMatch(namespace, patterns);
}
