/** The text that decides for a policy: its current text; while that is refused, its last accepted text. */
import type { CompleteSpec } from '../api/capability-policy.ts';
import type { ResolvedPolicy } from './resolve.ts';

export interface AcceptedText {
  readonly policy: ResolvedPolicy;
  /** The spec that the text was compiled from. */
  readonly spec: CompleteSpec;
}
