import type { Condition } from '../api/capability-policy.ts';

/** A condition without its generation and transition time. */
export type BareCondition = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;
