/** The outcome of a violation by the policy's mode, in the words of admission control; and the outcomes' colours. */
import type { Mode } from '../../operator/api/capability-policy.ts';
import type { Style } from './terminal.ts';

/** Ordered from the worst. Unknown: whether the pod is refused depends on its creator. */
export const OUTCOMES = ['Refused', 'Unknown', 'Warned', 'Audited', 'Admitted'] as const;
export type Outcome = (typeof OUTCOMES)[number];

const OF_MODE: Readonly<Record<Mode, Outcome>> = { Enforce: 'Refused', Warn: 'Warned', Audit: 'Audited' };

/** Every terminal has these colours. Blue, black and white are left out: they vanish on some backgrounds. */
export const OUTCOME_STYLES: Readonly<Record<Outcome, Style>> = {
  Refused: 'red',
  Unknown: 'magenta',
  Warned: 'yellow',
  Audited: 'cyan',
  Admitted: 'green',
};

/** The outcome for a pod that violates the policies of a mode. */
export function outcomeOf(mode: Mode): Outcome {
  return OF_MODE[mode];
}

/** Whether `a` is worse than `b`. */
export function isWorse(a: Outcome, b: Outcome): boolean {
  return OUTCOMES.indexOf(a) < OUTCOMES.indexOf(b);
}
