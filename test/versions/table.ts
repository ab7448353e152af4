/** Makes the table of results by run and version, in Markdown, and the list of skipped tests. */
import type { LeftOut } from '../support/needs.ts';
import type { RunResult } from './runs.ts';

/** @param columns the results by version, such as v1.33.13. Each map of results has the names of the runs as keys. */
export function markdown(columns: ReadonlyMap<string, ReadonlyMap<string, RunResult>>): string {
  const versions = [...columns.keys()];
  const names = [...new Set([...columns.values()].flatMap((results) => [...results.keys()]))];
  const rows = names.map((name) => row([name, ...versions.map((version) => cell(columns.get(version)?.get(name)))]));
  const leftOut = versions.flatMap((version) =>
    [...(columns.get(version) ?? [])].flatMap(([name, result]) => explained(version, name, result.leftOut)),
  );
  return [row(['', ...versions]), row(['---', ...versions.map(() => '---')]), ...rows, '', ...leftOut].join('\n');
}

/** The result in one line, such as `26 passed, 0 failed, 1 left out`. */
export function cell(result: RunResult | undefined): string {
  if (result === undefined) return '';
  const { summary, leftOut } = result;
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
