import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';

/** A set of policies that were accepted together. */
export interface PolicySet {
  readonly policies: readonly ResolvedPolicy[];
  isExcluded(namespace: string): boolean;
}

/** Policies, and the context in which the policies were accepted. */
interface Context {
  readonly compiled: Pick<PolicySet, 'policies'>;
  isExcluded(namespace: string): boolean;
}

export function policySetOf(context: Context): PolicySet {
  return { policies: context.compiled.policies, isExcluded: (namespace) => context.isExcluded(namespace) };
}
