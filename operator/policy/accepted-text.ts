/**
 * The deciding version of a policy. If the operator can compile the current version of the policy, the current version
 * decides. Otherwise, the last accepted version decides.
 */
import type { CompleteSpec } from '../api/capability-policy.ts';
import type { ResolvedPolicy } from './resolve.ts';

export interface AcceptedText {
  readonly policy: ResolvedPolicy;
  /** The spec from which the policy was compiled. */
  readonly spec: CompleteSpec;
}
