/** What a policy's mode does with a pod that violates, in the words of admission control; and their colours. */
import type { Mode } from '../api/capability-policy.ts';
import type { Style } from './terminal.ts';

/** From the worst on. Unknown: refused or not, depending on who creates the pod. */
export const OUTCOMES = ['Refused', 'Unknown', 'Warned', 'Audited', 'Admitted'] as const;
export type Outcome = (typeof OUTCOMES)[number];

const OF_MODE: Readonly<Record<Mode, Outcome>> = { Enforce: 'Refused', Warn: 'Warned', Audit: 'Audited' };

/** Of the 16 colours that every terminal has: not blue, black or white, which vanish on some backgrounds. */
export const OUTCOME_STYLES: Readonly<Record<Outcome, Style>> = {
  Refused: 'red',
  Unknown: 'magenta',
  Warned: 'yellow',
  Audited: 'cyan',
  Admitted: 'green',
};

/** What becomes of a pod that violates the policies of a mode. */
export function outcomeOf(mode: Mode): Outcome {
  return OF_MODE[mode];
}

/** Whether `a` is worse than `b`. */
export function isWorse(a: Outcome, b: Outcome): boolean {
  return OUTCOMES.indexOf(a) < OUTCOMES.indexOf(b);
}
