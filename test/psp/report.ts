import type { Tally } from './campaign.ts';

export const HEADER = row([
  '',
  'sets',
  'policies',
  'pods',
  'admitted',
  'refused',
  'invalid',
  'spoiled',
  'noted',
  'differences',
  'seed',
]);

/** One line of the table: evaluated pods, and those that were not. */
export function line(what: string, tally: Tally, seed: number): string {
  const { sets, policies, judged, admitted, invalid, spoiled, noted, differing } = tally;
  const numbers = [sets, policies, judged, admitted, judged - admitted, invalid, spoiled, noted, differing, seed];
  return row([what, ...numbers.map(String)]);
}

function row([what = '', ...cells]: readonly string[]): string {
  return what.padEnd(10) + cells.map((cell) => cell.padStart(12)).join('');
}
