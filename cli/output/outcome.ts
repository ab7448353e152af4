/** The outcome of a violation by the policy's mode, in the words of admission control; and the outcomes' colours. */
import type { Mode } from '../../operator/api/capability-policy.ts';
import type { Style, Terminal } from './terminal.ts';

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

/**
 * Paints the outcomes in one column of a table.
 *
 * @param wordOf the outcome as it is in the cell
 */
export function outcomePaint(
  column: string,
  { paint }: Terminal,
  wordOf: (outcome: Outcome) => string = (outcome) => outcome.toLowerCase(),
): (head: string, cell: string) => string {
  const styles = new Map(OUTCOMES.map((outcome) => [wordOf(outcome), OUTCOME_STYLES[outcome]]));
  return (head, cell) => {
    const style = head === column ? styles.get(cell) : undefined;
    return style ? paint(style, cell) : cell;
  };
}

/** Whether `a` is worse than `b`. */
export function isWorse(a: Outcome, b: Outcome): boolean {
  return OUTCOMES.indexOf(a) < OUTCOMES.indexOf(b);
}
