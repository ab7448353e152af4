/**
 * `npm test` checks the code, builds the control plane, and runs the unit tests and the core (test/tiers.ts). A file of
 * the core that fails runs a second time, alone, on a control plane of its own. If it passes then, the output ends with
 * `Passed at the second try: FILE, TEST`. Each of these lines is a bug of the test or of the product. Unit tests get no
 * second try.
 *
 * The command prints the output of the first process of the core immediately, and the outputs of the other processes
 * when all have ended. The output ends with the failed tests, and with one line with the sums for .ci/run.
 */
import { spawnSync } from 'node:child_process';
import { argumentsOrExit } from '../hack/options-or-exit.ts';
import { finish, merged, print, runMocha } from './run-mocha.ts';
import type { Results } from './support/reporter.ts';
import { SEED } from './support/seed.ts';
import { CORE, UNIT_CONFIG } from './tiers.ts';

/** The npm scripts that must succeed before the tests. */
const BEFORE = [['lint'], ['typecheck'], ['controlplane', '--', '--build']];

const HELP = `Usage: npm test

Runs lint, types, the unit tests and the core tests, as in CI. The first run builds the control plane.
The other tests are campaigns: see npm run test:all -- --help.

`;

argumentsOrExit('test', HELP, {});
for (const script of BEFORE) {
  const { status } = spawnSync('npm', ['run', ...script], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

const seed = String(SEED);
const unit = await runMocha('the unit tests', ['--config', UNIT_CONFIG], seed, print);
const [core, passedLater] = await withSecondTry(await runCore());
for (const line of passedLater) print(`Passed at the second try: ${line}\n`);
print(`${passedLater.length} tests passed at the second try\n`);
finish(merged([unit, core]), seed);

async function runCore(): Promise<Results> {
  const outputs: string[] = [];
  const hold = (text: string) => void outputs.push(text);
  const runs = Object.entries(CORE).map(([name, files], i) =>
    runMocha(`the core: ${name}`, files, seed, i === 0 ? print : hold),
  );
  const all = await Promise.all(runs);
  print(outputs.join(''));
  return merged(all);
}

/** @returns the final results, and `FILE, TEST` of each test that failed at first and passed at the second try */
async function withSecondTry(first: Results): Promise<[Results, string[]]> {
  let results = first;
  const passedLater: string[] = [];
  for (const [file, { failed }] of Object.entries(first)) {
    if (file === '' || failed.length === 0) continue;
    for (const { title, error } of failed) print(`Failed at the first try: ${title}: ${error}\n`);
    const again = await runMocha(file, [file], seed, print);
    const { [file]: second, ...outside } = again;
    results = merged([second === undefined ? results : { ...results, [file]: second }, outside]);
    // If the process ended before it had results, no test passed at the second try.
    if (second === undefined) continue;
    const failing = new Set(second.failed.map(({ title }) => title));
    passedLater.push(...failed.filter(({ title }) => !failing.has(title)).map(({ title }) => `${file}, ${title}`));
  }
  return [results, passedLater];
}
