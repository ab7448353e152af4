import { formatVersion } from '../../operator/standards/level-version.ts';
import type { DifferentialCase } from './cases.ts';
import type { Difference, Outcome } from './compare.ts';

export const HEADER = row(['policy', 'PSA', 'pods', 'admitted', 'refused', 'invalid', 'differences', 'seed']);

/** One line of the table. */
export function line({ compared, seed, evaluated, admitted, invalid, differing }: Outcome): string {
  const numbers = [evaluated, admitted, evaluated - admitted, invalid, differing, seed].map(String);
  return row([compared.name, label(compared), ...numbers]);
}

/** The last line of the table, with the sums of the columns. */
export function total(outcomes: readonly Outcome[], seed: number): string {
  const sum = (count: (outcome: Outcome) => number) => outcomes.reduce((sum, outcome) => sum + count(outcome), 0);
  const levels = outcomes.filter(({ compared }) => compared.exact).length;
  const policies = `${levels} levels and versions, ${outcomes.length - levels} policies with overrides`;
  const pods = `${sum(({ evaluated }) => evaluated)} pods evaluated, ${sum(({ admitted }) => admitted)} admitted`;
  return `levels: seed ${seed}, ${policies}, ${pods}, ${sum(({ differing }) => differing)} differences`;
}

/**
 * Describes a difference. The description has everything that a person needs to understand and reproduce the
 * difference.
 */
export function explain(outcome: Outcome, { path, object, answers }: Difference): string {
  const evaluates = Object.entries(answers).map(
    ([evaluate, { admitted, text }]) => `  ${evaluate}: ${admitted ? 'admitted' : `refused: ${text}`}`,
  );
  return [
    `policy ${outcome.compared.name}, PSA ${label(outcome.compared)}, seed ${outcome.seed}, path ${path}`,
    JSON.stringify(object, undefined, 2),
    ...evaluates,
  ].join('\n');
}

function label({ podSecurity }: DifferentialCase): string {
  return podSecurity ? `${podSecurity.level} ${formatVersion(podSecurity.minor)}` : 'none';
}

function row(cells: readonly string[]): string {
  return cells.map((cell, index) => (index < 2 ? cell.padEnd(18) : cell.padStart(12))).join('');
}
