import { formatVersion } from '../../operator/standards/level-version.ts';
import type { Difference, Outcome } from './compare.ts';
import type { Contest } from './contests.ts';

export const HEADER = row(['policy', 'PSA', 'pods', 'admitted', 'refused', 'invalid', 'differences', 'seed']);

/** One line of the table. */
export function line({ contest, seed, judged, admitted, invalid, differing }: Outcome): string {
  const numbers = [judged, admitted, judged - admitted, invalid, differing, seed].map(String);
  return row([contest.name, label(contest), ...numbers]);
}

/** Everything that is needed to understand a difference, and to see it again. */
export function explain(outcome: Outcome, { path, object, answers }: Difference): string {
  const judges = Object.entries(answers).map(
    ([judge, { admitted, text }]) => `  ${judge}: ${admitted ? 'admitted' : `refused: ${text}`}`,
  );
  return [
    `policy ${outcome.contest.name}, PSA ${label(outcome.contest)}, seed ${outcome.seed}, path ${path}`,
    JSON.stringify(object, undefined, 2),
    ...judges,
  ].join('\n');
}

function label({ podSecurity }: Contest): string {
  return podSecurity ? `${podSecurity.level} ${formatVersion(podSecurity.minor)}` : 'none';
}

function row(cells: readonly string[]): string {
  return cells.map((cell, index) => (index < 2 ? cell.padEnd(18) : cell.padStart(12))).join('');
}
