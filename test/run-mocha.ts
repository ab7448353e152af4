/** Runs mocha in processes of their own, and reads and adds up the results of their tests. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Results, summary } from './support/reporter.ts';
import { execute } from './versions/execute.ts';

/**
 * A process that prints nothing for this time counts as a process that hangs. The program mocha prints each test that
 * ends, and ends each test that waits for too long. However, mocha cannot end a test that computes for too long. If a
 * resource stays open, mocha itself does not end.
 */
const SILENCE_MS = 10 * 60_000;
/** The number of characters from the end of the output of a process that hangs or ends early. */
const OUTPUT_END = 1000;
/**
 * API servers compile a program at every change of a policy. With Go's default of GOGC=100, they spend a quarter of
 * their CPU time on garbage collection.
 */
const GOGC = '400';

/**
 * Runs mocha, and prints how long it took.
 * @param what the name of the run, also for the failure of a process that hangs or ends early
 * @param args the arguments of mocha
 * @param onOutput a function that is called with each piece of the output
 */
export async function runMocha(
  what: string,
  args: readonly string[],
  seed: string,
  onOutput: (text: string) => void,
): Promise<Results> {
  const folder = mkdtempSync(join(tmpdir(), 'capabilitypolicy-results-'));
  const file = join(folder, 'results.json');
  const began = Date.now();
  try {
    const command = ['mocha', '--reporter-option', `results=${file}`, ...args];
    const env = { ...process.env, GOGC: process.env.GOGC ?? GOGC, SEED: seed };
    const { code, output, hung } = await execute(command, env, { silenceMs: SILENCE_MS, onOutput });
    const results: Results = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
    const knowsWhy = Object.values(results).some(({ failed }) => failed.length > 0);
    if (hung || (code !== 0 && !knowsWhy)) {
      const error = `the process ${hung ? 'hangs' : `ended with exit code ${code}`}. The end of its output:\n${output.slice(-OUTPUT_END)}`;
      results[''] = { passed: results['']?.passed ?? 0, failed: [{ title: what, error }] };
    }
    return results;
  } finally {
    print(`${what} took ${Math.round((Date.now() - began) / 1000)} s\n`);
    rmSync(folder, { recursive: true });
  }
}

/** Adds up the results of a file that are in several of the parameters. */
export function merged(all: readonly Results[]): Results {
  const sum: Results = {};
  for (const [file, { passed, failed }] of all.flatMap((results) => Object.entries(results))) {
    const before = sum[file] ?? { passed: 0, failed: [] };
    sum[file] = { passed: before.passed + passed, failed: [...before.failed, ...failed] };
  }
  return sum;
}

/** Prints the failed tests and the sums, and sets the exit code of this process. */
export function finish(results: Results, seed: string): void {
  print(`${summary(results, seed)}\n`);
  process.exitCode = Object.values(results).every(({ failed }) => failed.length === 0) ? 0 : 1;
}

export function print(text: string): void {
  process.stdout.write(text);
}
