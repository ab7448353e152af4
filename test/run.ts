/**
 * `npm test` checks the code, builds the control plane, and runs all tests in several processes at the same time, each
 * with its own control plane. The command prints
 * the output of the first process immediately. The command prints the other outputs when all processes have ended. The
 * output ends with the failed tests, and with one line with the sums for .ci/run.
 */
import { spawnSync } from 'node:child_process';
import { argumentsOrExit } from '../hack/options-or-exit.ts';
import { FAILED_TEST } from './support/reporter.ts';
import { type Ended, execute } from './versions/execute.ts';
import { CLOSING_LINE } from './versions/runs.ts';

/**
 * The test files of each process. The list leaves out the last process. The last process runs all other tests. The
 * processes take about the same time. Most tests wait for a cluster, a container or a program, so four processes fit on
 * two cores. All tests that start containers, and all tests that build the same files, run in one process.
 */
const GROUPS = [
  ['integration/[d-z]*.test.ts'],
  ['docs', 'image', 'install', 'kernel', 'node', 'release', 'rollout', 'storm', 'ui'].map(allOf),
  [
    'attacks',
    'compare',
    'compile',
    'crd',
    'defaulting',
    'differential',
    'programs',
    'snapshot',
    'soak',
    'suggest',
    'versions',
  ].map(allOf),
].map((group) => group.map((pattern) => `test/${pattern}`));
/**
 * The environment of the processes. API servers compile a program at every change of a policy. With Go's default of
 * GOGC=100, API servers spend a quarter of their CPU time on garbage collection.
 */
const ENVIRONMENT = { ...process.env, GOGC: process.env.GOGC ?? '400' };
/**
 * A process that prints nothing for this time counts as a process that hangs. The program mocha prints each test that
 * ends, and ends each test that waits for too long. However, mocha cannot end a test that computes for too long. If a
 * resource stays open, mocha itself does not end.
 */
const SILENCE_MS = 15 * 60_000;
/** If a process hangs, the command prints this number of characters from the end of the process's output. */
const OUTPUT_END = 1000;

/** The npm scripts that must succeed before the tests. */
const BEFORE = [['lint'], ['typecheck'], ['controlplane', '--', '--build']];

const HELP = `Usage: npm test

Runs lint, types and all tests, as in CI. The first run builds the control plane.

`;

argumentsOrExit('test', HELP, {});
for (const script of BEFORE) {
  const { status } = spawnSync('npm', ['run', ...script], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

interface Counts {
  readonly passed: number;
  readonly failed: number;
}

const commands = [...GROUPS, GROUPS.flat().flatMap((pattern) => ['--ignore', pattern])];
const ended = await Promise.all(
  commands.map((files, i) =>
    execute(['mocha', ...files], ENVIRONMENT, {
      silenceMs: SILENCE_MS,
      onOutput: (text) => {
        if (i === 0) process.stdout.write(text);
      },
    }),
  ),
);
for (const { output } of ended.slice(1)) process.stdout.write(output);
const sums = ended.map(countsOf);
for (const { output, hung } of ended) {
  if (hung) process.stdout.write(`Failed: a process hangs. The end of its output:\n${output.slice(-OUTPUT_END)}\n`);
}
for (const { output } of ended) {
  for (const [line] of output.matchAll(FAILED_TEST)) process.stdout.write(`${line}\n`);
}
const sum = (of: 'passed' | 'failed') => sums.reduce((all, counts) => all + counts[of], 0);
process.stdout.write(`${sum('passed')} passed, ${sum('failed')} failed\n`);
process.exitCode = sum('failed') === 0 && ended.every(({ code }) => code === 0) ? 0 : 1;

function allOf(folder: string): string {
  return `${folder}/**/*.test.ts`;
}

/**
 * Counts the tests of a process. A process that hangs, or that has ended too early, counts as at least one failed test.
 */
function countsOf({ output, hung }: Ended): Counts {
  const [passed = 0, failed = 0] =
    (CLOSING_LINE.exec(output)?.[1] ?? '0 passed, 1 failed').match(/\d+/g)?.map(Number) ?? [];
  return { passed, failed: hung ? Math.max(1, failed) : failed };
}
