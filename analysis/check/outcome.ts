/** The outcome of a violation by the policy's mode, in the words of admission control. */
import type { Mode } from '../../operator/api/capability-policy.ts';

/** Ordered from the worst. Unknown: whether the pod is refused depends on its creator. */
export const OUTCOMES = ['Refused', 'Unknown', 'Warned', 'Audited', 'Admitted'] as const;
export type Outcome = (typeof OUTCOMES)[number];

const OF_MODE: Readonly<Record<Mode, Outcome>> = { Enforce: 'Refused', Warn: 'Warned', Audit: 'Audited' };

/** The outcome for a pod that violates the policies of a mode. */
export function outcomeOf(mode: Mode): Outcome {
  return OF_MODE[mode];
}

/** Whether `a` is worse than `b`. */
export function isWorse(a: Outcome, b: Outcome): boolean {
  return OUTCOMES.indexOf(a) < OUTCOMES.indexOf(b);
}
