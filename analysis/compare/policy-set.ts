import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';

/** A set of policies, as it was accepted. */
export interface PolicySet {
  readonly policies: readonly ResolvedPolicy[];
  isExcluded(namespace: string): boolean;
}
