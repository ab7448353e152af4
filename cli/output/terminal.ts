/** Describes the terminal, pipe or file to which text is printed: its width, and whether it shows colours. */
import { styleText } from 'node:util';
import type { Io } from '../command.ts';

export type Style = 'bold' | 'red' | 'green' | 'yellow' | 'magenta' | 'cyan';

export interface Terminal {
  /** The number of columns. For a pipe or a file, `width` is undefined, and lines are not wrapped. */
  readonly width: number | undefined;
  paint(style: Style, text: string): string;
}

/** The assumed width of a terminal that does not report its width, such as some pseudo-terminals. */
const USUAL_WIDTH = 80;

/** The settings for a pipe or a file: no width, and no colours. */
export const PLAIN: Terminal = { width: undefined, paint: (_style, text) => text };

export function terminalOf({ stdout, env }: Pick<Io, 'stdout' | 'env'>): Terminal {
  const colors = showsColors(stdout.isTTY ?? false, env);
  return {
    width: stdout.isTTY ? stdout.columns || USUAL_WIDTH : undefined,
    paint: (style, text) => (colors && text !== '' ? styleText(style, text, { validateStream: false }) : text),
  };
}

/**
 * Whether to print colours. The rules are on https://no-color.org and https://force-color.org. Node and most command
 * lines follow the same rules.
 */
function showsColors(isTerminal: boolean, { FORCE_COLOR, NO_COLOR, TERM }: Io['env']): boolean {
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== '') return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
  if (NO_COLOR !== undefined && NO_COLOR !== '') return false;
  return isTerminal && TERM !== 'dumb';
}
