/** The table of outcomes by run and version, in Markdown, and the skipped tests. */
import type { LeftOut } from '../support/needs.ts';
import type { Outcome } from './runs.ts';

/** @param columns a version, as in v1.33.13 → a run's name → its outcome */
export function markdown(columns: ReadonlyMap<string, ReadonlyMap<string, Outcome>>): string {
  const versions = [...columns.keys()];
  const names = [...new Set([...columns.values()].flatMap((outcomes) => [...outcomes.keys()]))];
  const rows = names.map((name) => row([name, ...versions.map((version) => cell(columns.get(version)?.get(name)))]));
  const leftOut = versions.flatMap((version) =>
    [...(columns.get(version) ?? [])].flatMap(([name, outcome]) => explained(version, name, outcome.leftOut)),
  );
  return [row(['', ...versions]), row(['---', ...versions.map(() => '---')]), ...rows, '', ...leftOut].join('\n');
}

/** For one line: `26 passed, 0 failed, 1 left out`. */
export function cell(outcome: Outcome | undefined): string {
  if (outcome === undefined) return '';
  const { summary, leftOut } = outcome;
  return leftOut.length > 0 ? `${summary}, ${leftOut.length} left out` : summary;
}

function explained(version: string, name: string, leftOut: readonly LeftOut[]): string[] {
  const reasons = Map.groupBy(leftOut, ({ reason }) => reason);
  return [...reasons].flatMap(([reason, tests]) => [
    `${version}, ${name}: left out: ${tests.length} (${reason})`,
    ...tests.map(({ title }) => `* ${title}`),
  ]);
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
