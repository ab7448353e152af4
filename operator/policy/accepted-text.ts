/**
 * The version of a policy that decides. The current version decides. If the current version cannot be compiled, the
 * version that was accepted last decides.
 */
import type { CompleteSpec } from '../api/capability-policy.ts';
import type { ResolvedPolicy } from './resolve.ts';

export interface AcceptedText {
  readonly policy: ResolvedPolicy;
  /** The spec from which the policy was compiled. */
  readonly spec: CompleteSpec;
}
