/** Writes docs/comparison-of-verdicts.md with a table for each suite and a list of all differences. */
import type { EngineCase } from './suites.ts';
import type { OurVerdict } from './verdict.ts';

export interface Compared {
  readonly theirs: EngineCase;
  readonly ours: OurVerdict;
}

export interface Explained extends Compared {
  readonly why: string;
}

const HEAD = `# Comparison of verdicts

This page compares the verdicts of the operator with the verdicts that other engines' own tests expect. The tests are the
Gatekeeper library's tests of pod security policies, Kyverno's and Kubewarden's tests of capabilities, and the tests of
psp-migration. For each test, the operator evaluates the pods under a policy with the same rules. For psp-migration,
\`cappol migrate\` writes these policies. The code in [test/other-engines](../test/other-engines) writes the other policies,
compares the verdicts, and writes this page. The cases themselves are not part of the project.

* \`deny\` means that the pod is refused. A violating template of a workload also counts as \`deny\`, although the API server
  refuses only the pods of the template.
* In these tests, neither the other engines nor the operator evaluate changes of an existing pod, because the rights of a
  pod are fixed at its creation. Added ephemeral containers are evaluated.
* If a suite expects that the engine fills in a value, defaulting must fill in the value, too.
`;

/** @param differences the differences, in the order of the cases */
export function comparisonText(compared: readonly Compared[], differences: readonly Explained[]): string {
  return [
    HEAD,
    '## Suites',
    '',
    ...suiteTable(compared, differences),
    '',
    '## Differences',
    '',
    '| suite | case | theirs | ours | why |',
    '|---|---|---|---|---|',
    ...differences.map(
      ({ theirs, ours, why }) =>
        `| ${theirs.suite} | ${theirs.case} | ${verdictOf(theirs)} | ${ourText(ours)} | ${why} |`,
    ),
    '',
  ].join('\n');
}

function suiteTable(compared: readonly Compared[], differences: readonly Explained[]): string[] {
  const line = (suite: string, cases: number, different: number) =>
    `| ${suite} | ${cases} | ${cases - different} | ${different} |`;
  const suites = Map.groupBy(compared, ({ theirs }) => theirs.suite);
  const different = (suite: string) => differences.filter(({ theirs }) => theirs.suite === suite).length;
  return [
    '| suite | cases | same verdict | different |',
    '|---|---|---|---|',
    ...[...suites].map(([suite, cases]) => line(suite, cases.length, different(suite))).sort(),
    line('all', compared.length, differences.length),
  ];
}

function verdictOf({ expect, mutated }: EngineCase): string {
  return mutated ? `${expect}, filled in` : expect;
}

function ourText({ verdict, mutated }: OurVerdict): string {
  return mutated ? `${verdict}, filled in` : verdict;
}
