/** Prints terms and their explanations below a title. */
import type { Terminal } from '../../output/terminal.ts';
import { wrap } from '../../output/wrap.ts';

export function termsText(
  title: string,
  terms: readonly (readonly [term: string, text: string])[],
  { width }: Terminal,
): string {
  const rows = terms.map(([term, text]) => `  ${term.padEnd(14)}${wrap(text, { width, indent: 16 }).slice(16)}`);
  return `${title}\n${rows.join('')}`;
}
