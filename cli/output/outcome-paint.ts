/** The colours of outcomes. */
import { OUTCOMES, type Outcome } from '../../analysis/check/outcome.ts';
import type { Style, Terminal } from './terminal.ts';

/** Every terminal has these colours. Blue, black and white are left out: they vanish on some backgrounds. */
export const OUTCOME_STYLES: Readonly<Record<Outcome, Style>> = {
  Refused: 'red',
  Unknown: 'magenta',
  Warned: 'yellow',
  Audited: 'cyan',
  Admitted: 'green',
};

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
