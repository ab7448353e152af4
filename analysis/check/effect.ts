/** The effect of a violation by the policy's mode, in the words of admission control. */
import type { Mode } from '../../operator/api/capability-policy.ts';

/** Ordered from the worst. Unknown: whether the pod is refused depends on its creator. */
export const EFFECTS = ['Refused', 'Unknown', 'Warned', 'Audited', 'Admitted'] as const;
export type Effect = (typeof EFFECTS)[number];

const OF_MODE: Readonly<Record<Mode, Effect>> = { Enforce: 'Refused', Warn: 'Warned', Audit: 'Audited' };

/** The effect for a pod that violates the policies of a mode. */
export function effectOf(mode: Mode): Effect {
  return OF_MODE[mode];
}

/** Whether `a` is worse than `b`. */
export function isWorse(a: Effect, b: Effect): boolean {
  return EFFECTS.indexOf(a) < EFFECTS.indexOf(b);
}
