/** The effect of a violation by the policy's mode, in the words of admission control. */
import type { Mode } from '../../operator/api/capability-policy.ts';

/** The effects, the worst first. Unknown means that the pod's creator decides whether the pod is refused. */
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
