/** Runs mocha in a process of its own, and reads the results of its tests. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Results } from './support/reporter.ts';
import { execute } from './versions/execute.ts';

/**
 * A process that prints nothing for this time counts as a process that hangs. The program mocha prints each test that
 * ends, and ends each test that waits for too long. However, mocha cannot end a test that computes for too long. If a
 * resource stays open, mocha itself does not end.
 */
const SILENCE_MS = 10 * 60_000;
/** The number of characters from the end of the output of a process that hangs or ends early. */
const OUTPUT_END = 1000;
/** API servers compile a program at every change of a policy. With Go's default of GOGC=100, they spend a quarter of their
 * CPU time on garbage collection.
 */
const GOGC = '400';

/**
 * @param what the name of the run, for the failure of a process that hangs or ends early
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
    rmSync(folder, { recursive: true });
  }
}
