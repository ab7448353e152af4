/**
 * The effect of a violation. The effect depends on the policy's mode. The effects have the names that admission control
 * uses.
 */
import type { Mode } from '../../operator/api/capability-policy.ts';

/** The effects, from the worst to the best. Unknown means that the decision depends on who creates the pod. */
export const EFFECTS = ['Refused', 'Unknown', 'Warned', 'Audited', 'Admitted'] as const;
export type Effect = (typeof EFFECTS)[number];

const OF_MODE: Readonly<Record<Mode, Effect>> = { Enforce: 'Refused', Warn: 'Warned', Audit: 'Audited' };

/** The effect on a pod that violates the policies of the given mode. */
export function effectOf(mode: Mode): Effect {
  return OF_MODE[mode];
}

/** Whether `a` is worse than `b`. */
export function isWorse(a: Effect, b: Effect): boolean {
  return EFFECTS.indexOf(a) < EFFECTS.indexOf(b);
}
