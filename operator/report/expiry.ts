/** Reports the expiry of a policy (spec.expires) in the policy's conditions and Events. */
import type { Condition } from '../api/capability-policy.ts';
import { formatTime, NEVER, type Stage, stageOf } from '../policy/expiry.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { counted, firstOf } from '../text/wording.ts';
import type { BareCondition } from './bare-condition.ts';
import type { Unaddressed } from './events.ts';
import * as reasons from './reasons.ts';

const NAMED = 3;

const REASON: Record<Stage, string> = {
  Later: reasons.EXPIRES_LATER,
  WithinAWeek: reasons.EXPIRES_WITHIN_A_WEEK,
  WithinADay: reasons.EXPIRES_WITHIN_A_DAY,
  Expired: reasons.EXPIRED,
};

interface Ending {
  /** Whether the policy counts as deleted. */
  readonly expired: boolean;
  /** The value of `spec.reason`. */
  readonly why: string | undefined;
  /** The current time, in ISO 8601 and UTC. */
  readonly now: string;
}

/** Makes the condition Expired. A policy without `spec.expires` does not have this condition. */
export function expiredCondition({ expires }: ResolvedPolicy, { expired, why, now }: Ending): BareCondition[] {
  if (expires === NEVER) return [];
  // `expired` has the value from the time when the operator compiled the policies. `now` may be later. If `expired` is
  // false, the code computes the stage for a time before the expiry, even if `now` is later.
  const stage = expired ? 'Expired' : stageOf(expires, Math.min(Date.parse(now), expires - 1));
  const message = [
    expired ? expiredText(expires) : `expires at ${formatTime(expires)}`,
    ...(why ? [`spec.reason: ${why}`] : []),
  ].join('; ');
  return [{ type: 'Expired', status: expired ? 'True' : 'False', reason: REASON[stage], message }];
}

export function expiredText(expires: number): string {
  return `expired at ${formatTime(expires)} and counts as deleted: set a later spec.expires to bring the policy back, or delete the policy`;
}

/** Warns about namespaces where no policy of the same mode decides after this policy expires. */
export function undecidedText({ expires, mode }: ResolvedPolicy, namespaces: readonly string[]): string[] {
  if (expires === NEVER || namespaces.length === 0) return [];
  const where = `${counted(namespaces.length, 'namespace')} (${firstOf(namespaces, NAMED)})`;
  return [`warning: from ${formatTime(expires)} on, no policy of mode ${mode} decides in ${where}`];
}

const IN_ORDER = Object.values(REASON);

/**
 * Makes one Event when a stage of the expiry begins. If somebody adds an `expires` in the near future, the function
 * makes no Event, because the author knows the time. If `expires` is already in the past, the function makes an Event,
 * because the author may not know that the policy has expired. The condition Expired keeps the last stage across
 * restarts.
 */
export function expiryHappenings(before: Condition | undefined, next: Condition | undefined): Unaddressed[] {
  if (!next || next.reason === before?.reason) return [];
  const isNearer = before !== undefined && IN_ORDER.indexOf(before.reason) < IN_ORDER.indexOf(next.reason);
  if (next.reason !== reasons.EXPIRED && !isNearer) return [];
  const type = next.reason === reasons.EXPIRES_WITHIN_A_WEEK ? 'Normal' : 'Warning';
  return [{ type, reason: next.reason, action: 'Expire', note: next.message }];
}
