/**
 * `npm run test:all` runs tests with a random seed: the campaigns of test/tiers.ts, the core and the unit tests. The
 * output ends with the failed tests, and with the sums.
 */
import { argumentsOrExit } from '../hack/options-or-exit.ts';
import { finish, merged, print, runMocha } from './run-mocha.ts';
import type { Results } from './support/reporter.ts';
import { seedFrom } from './support/seed.ts';
import { CAMPAIGNS, CORE, campaignsFor, matching, UNIT_CONFIG } from './tiers.ts';

/** The arguments of mocha for each name. */
const RUNS: Readonly<Record<string, () => string[]>> = {
  unit: () => ['--config', UNIT_CONFIG],
  core: () => Object.values(CORE).flat(),
  ...Object.fromEntries(Object.entries(CAMPAIGNS).map(([name, { files }]) => [name, () => matching(files)])),
};

const HELP = `Usage: npm run test:all -- [options] [NAME...]

Runs tests with a random seed, one NAME after the other (default: all names). Some tests need Linux, root and programs
such as runc and buildah; without CI=true, these tests are left out if a program is missing.

  NAME          ${Object.keys(RUNS).slice(0, 8).join(', ')},
                ${Object.keys(RUNS).slice(8).join(', ')}
  --for FOLDER  the campaigns that test this folder or file, such as operator/report; may be given more than once
  --seed N      the seed of a run to repeat
  --list        only print the names, as JSON
`;

const { values, positionals } = argumentsOrExit('test:all', HELP, {
  allowPositionals: true,
  options: {
    for: { type: 'string', multiple: true, default: [] },
    seed: { type: 'string', default: process.env.SEED ?? String(Date.now() % 1_000_000) },
    list: { type: 'boolean', default: false },
  },
});

const names = chosen();
if (values.list) console.log(JSON.stringify(names));
else await run();

/** @returns the names to run. If a name or folder is wrong, the function ends the process. */
function chosen(): readonly string[] {
  const folders = values.for;
  try {
    seedFrom(values.seed);
  } catch (error) {
    end(`--seed: ${(error as Error).message}`);
  }
  const wrong = positionals.find((name) => !(name in RUNS));
  if (wrong !== undefined)
    end(`there is no test run ${JSON.stringify(wrong)}; the names are ${Object.keys(RUNS).join(', ')}`);
  const uncovered = folders.find((folder) => campaignsFor(folder).length === 0);
  if (uncovered !== undefined)
    end(`--for: no campaign tests ${JSON.stringify(uncovered)}; see covers in test/tiers.ts`);
  const named = [...positionals, ...folders.flatMap(campaignsFor)];
  return named.length === 0 ? Object.keys(RUNS) : Object.keys(RUNS).filter((name) => named.includes(name));
}

function end(message: string): never {
  process.stderr.write(`npm run test:all: ${message}\n`);
  process.exit(2);
}

async function run(): Promise<void> {
  const results: Results[] = [];
  for (const name of names) {
    print(`${name} with seed ${values.seed}\n`);
    results.push(await runMocha(name, RUNS[name]?.() ?? [], values.seed, print));
  }
  finish(merged(results), values.seed);
}
