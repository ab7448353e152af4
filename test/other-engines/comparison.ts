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

Other engines' own tests, evaluated by the operator under policies that say the same: the Gatekeeper library's pod security
policies, Kyverno's and Kubewarden's on capabilities, and the PodSecurityPolicies of psp-migration, which \`migrate\` turned
into policies. [test/other-engines](../test/other-engines) writes the policies, compares, and writes this page; the cases
themselves are not part of the project.

* \`deny\` means that the pod is refused. A workload's template that violates is also \`deny\`, although the API server never
  refuses templates, only their pods.
* Neither the other engines nor the operator evaluate changes of an existing pod: what a pod may do is fixed when it is created.
  They evaluate added ephemeral containers.
* Where a suite expects that the engine fills something in, defaulting has to fill in, too.
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
