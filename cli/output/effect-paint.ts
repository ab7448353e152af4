/** Defines the colours of effects. */
import { EFFECTS, type Effect } from '../../analysis/check/effect.ts';
import type { Style, Terminal } from './terminal.ts';

/**
 * The colours of effects. Every terminal has these colours. Blue, black and white are not used, because they cannot be
 * seen on some backgrounds.
 */
export const EFFECT_STYLES: Readonly<Record<Effect, Style>> = {
  Refused: 'red',
  Unknown: 'magenta',
  Warned: 'yellow',
  Audited: 'cyan',
  Admitted: 'green',
};

/**
 * Paints the effects in one column of a table.
 *
 * @param wordOf returns the word for an effect in the cells of the column
 */
export function effectPaint(
  column: string,
  { paint }: Terminal,
  wordOf: (effect: Effect) => string = (effect) => effect.toLowerCase(),
): (head: string, cell: string) => string {
  const styles = new Map(EFFECTS.map((effect) => [wordOf(effect), EFFECT_STYLES[effect]]));
  return (head, cell) => {
    const style = head === column ? styles.get(cell) : undefined;
    return style ? paint(style, cell) : cell;
  };
}
