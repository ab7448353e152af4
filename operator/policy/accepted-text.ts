/**
 * The version of a policy that decides: the current version or, if the current version cannot be compiled, the last
 * accepted version.
 */
import type { CompleteSpec } from '../api/capability-policy.ts';
import type { ResolvedPolicy } from './resolve.ts';

export interface AcceptedText {
  readonly policy: ResolvedPolicy;
  /** The spec from which the policy was compiled. */
  readonly spec: CompleteSpec;
}
