/**
 * The version of a policy that decides. This is the current version. If the current version cannot be compiled, it is
 * the version that was accepted last.
 */
import type { CompleteSpec } from '../api/capability-policy.ts';
import type { ResolvedPolicy } from './resolve.ts';

export interface AcceptedText {
  readonly policy: ResolvedPolicy;
  /** The spec from which the policy was compiled. */
  readonly spec: CompleteSpec;
}
