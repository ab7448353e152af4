import type { Condition } from '../api/capability-policy.ts';

/** A condition without its history. */
export type BareCondition = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;
