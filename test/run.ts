/**
 * `npm test` runs all tests in two processes at the same time, each with its own control plane. The command prints the
 * output of one process as it comes, and the output of the other process afterwards. At the end, the command prints a
 * line for each failed test, and one line for .ci/run with the sums.
 */
import { execute } from './versions/execute.ts';
import { CLOSING_LINE } from './versions/runs.ts';

/**
 * The folders whose tests run in the second process. These tests take about half of the time of all tests. Most tests
 * wait for a cluster, a container or a program, so two processes fit on two cores.
 */
const SECOND = [
  'attacks',
  'cluster',
  'controlplane',
  'crd',
  'differential',
  'docs',
  'image',
  'install',
  'kernel',
  'node',
  'programs',
  'release',
  'rollout',
  'snapshot',
  'soak',
  'storm',
  'ui',
  'versions',
];

const [first, second] = await Promise.all([
  execute(['mocha', ...SECOND.flatMap((folder) => ['--ignore', `test/${folder}/**`])], process.env, (text) =>
    process.stdout.write(text),
  ),
  execute(['mocha', ...SECOND.map((folder) => `test/${folder}/**/*.test.ts`)], process.env),
]);
process.stdout.write(second.output);
const ended = [first, second];
// If a process printed no closing line, it ended too early.
const sums = ended.map(({ output }) => countsIn(output) ?? { passed: 0, failed: 1 });
for (const { output } of ended) {
  for (const [line] of output.matchAll(/^Failed: .*$/gm)) process.stdout.write(`${line}\n`);
}
const sum = (of: 'passed' | 'failed') => sums.reduce((all, counts) => all + counts[of], 0);
process.stdout.write(`${sum('passed')} passed, ${sum('failed')} failed\n`);
process.exitCode = sum('failed') === 0 && ended.every(({ code }) => code === 0) ? 0 : 1;

function countsIn(output: string): { readonly passed: number; readonly failed: number } | undefined {
  const [passed, failed] = (CLOSING_LINE.exec(output)?.[1] ?? '').match(/\d+/g) ?? [];
  return passed === undefined ? undefined : { passed: Number(passed), failed: Number(failed) };
}
