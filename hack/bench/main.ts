/** Runs `npm run bench`: measures the operator on separate control planes, prints tables, and writes JSON. */
import { writeFileSync } from 'node:fs';
import { argumentsOrExit } from '../options-or-exit.ts';
import { admission } from './admission.ts';
import { commandLine } from './command-line.ts';
import { comparisons } from './compare.ts';
import { edits } from './edits.ts';
import { exceptions } from './exceptions.ts';
import { firstReport } from './first-report.ts';
import { inForce } from './in-force.ts';
import { labelling } from './labelling.ts';
import { livePage } from './live-page.ts';
import { describeMachine, thisMachine } from './machine.ts';
import { manyPolicies } from './many-policies.ts';
import { policyChange } from './policy-change.ts';
import { PODS_OF_NAMESPACE } from './population.ts';
import { rollout } from './rollout.ts';
import { storm } from './storm.ts';
import { formatTable, type Table } from './table.ts';

const HELP = `Usage: npm run bench -- [--only LETTERS] [--pods LIST] [--distinct] [--other-tools] [--json FILE]

  --only LETTERS  which parts, as in "ae" (default: all)
                    a  first full report          d  labelling namespaces
                    b  pod change → status        e  admission of pods
                    c  policy change → status     f  policy change → in force
                    g  the command line's check
                    i  many policies of one namespace each
                    l  the beginning of a rollout
                    m  the page that follows a cluster: its memory, and how late it shows changes
                    n  one policy for all namespaces, and exceptions to it
                    o  edits among many policies, for minutes
                    p  comparing two sets of policies
  --pods LIST     sizes of a, c, g and m, separated by commas (default: 1000,10000,100000); b takes the last, d and l its namespaces
  --policies LIST sizes of i (default: 1,100,500)
  --exceptions LIST  sizes of n (default: 1,100,300,1000)
  --labels N      policies of n whose labels no index helps with (default: 500)
  --topologies LIST  of n, separated by semicolons (default: beside;above;teams, beside;teams, above;labels)
  --rounds N      requests of each kind in n (default: 200)
  --changes N     further exceptions, and edits, in n (default: 5)
  --rows N        policies of o (default: 3000)
  --minutes N     how long o edits, 20 times a minute (default: 10)
  --compared N    policies of each set of p (default: 50)
  --distinct      part a once more at its last size, with pods of which no two are alike
  --other-tools   part g also by gator and kyverno, Kyverno's command line, which have to be in PATH
  --json FILE     where the measurements go (default: bench.json)
`;

const { values } = argumentsOrExit('bench', HELP, {
  options: {
    only: { type: 'string', default: 'abcdefgilmnop' },
    pods: { type: 'string', default: '1000,10000,100000' },
    policies: { type: 'string', default: '1,100,500' },
    exceptions: { type: 'string', default: '1,100,300,1000' },
    labels: { type: 'string', default: '500' },
    topologies: { type: 'string' },
    rounds: { type: 'string', default: '200' },
    changes: { type: 'string', default: '5' },
    rows: { type: 'string', default: '3000' },
    minutes: { type: 'string', default: '10' },
    compared: { type: 'string', default: '50' },
    distinct: { type: 'boolean', default: false },
    'other-tools': { type: 'boolean', default: false },
    json: { type: 'string', default: 'bench.json' },
  },
});

const EDITS_PER_MINUTE = 20;
const sizes = values.pods.split(',').map(Number);
const policies = values.policies.split(',').map(Number);

const PARTS: Readonly<Record<string, () => Promise<Table>>> = {
  a: () => firstReport({ sizes, distinct: values.distinct }),
  b: () => storm(sizes.at(-1) ?? 0),
  c: () => policyChange(sizes),
  d: () => labelling(sizes.map((pods) => pods / PODS_OF_NAMESPACE)),
  e: admission,
  f: inForce,
  i: () => manyPolicies(policies),
  g: () => commandLine({ sizes, otherTools: values['other-tools'] }),
  l: () => rollout(sizes.map((pods) => pods / PODS_OF_NAMESPACE)),
  m: () => livePage(sizes),
  n: () =>
    exceptions({
      sizes: values.exceptions.split(',').map(Number),
      labels: Number(values.labels),
      ...(values.topologies !== undefined && { topologies: values.topologies.split(';').map((name) => name.trim()) }),
      rounds: Number(values.rounds),
      changes: Number(values.changes),
    }),
  o: () => edits({ rows: Number(values.rows), minutes: Number(values.minutes), perMinute: EDITS_PER_MINUTE }),
  p: () => comparisons(Number(values.compared)),
};

await bench();

async function bench(): Promise<void> {
  const machine = thisMachine();
  const tables: Record<string, Table> = {};
  process.stdout.write(`${describeMachine(machine)}\n\n`);
  for (const letter of values.only) {
    const part = PARTS[letter];
    if (!part) throw new Error(`--only ${values.only}: there is no part ${letter}`);
    const table = await part();
    tables[letter] = table;
    process.stdout.write(`${formatTable(table)}\n\n`);
    // The results are written after each part, because a later part may take long or fail.
    writeFileSync(values.json, `${JSON.stringify({ machine, tables }, undefined, 2)}\n`);
  }
}
