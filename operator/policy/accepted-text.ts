/** The text that decides for a policy: its current one, or the last accepted one while the current one is refused. */
import type { CompleteSpec } from '../api/capability-policy.ts';
import type { ResolvedPolicy } from './resolve.ts';

export interface AcceptedText {
  readonly policy: ResolvedPolicy;
  /** The spec that it comes from. */
  readonly spec: CompleteSpec;
}
