import Mocha from 'mocha';

/**
 * The maximum number of lines of an error that the report repeats, and the maximum number of characters of each of
 * these lines.
 */
const MOST_LINES = 20;
const MOST_CHARACTERS = 600;

/**
 * A failed test at the end of the output. The following lines of the error begin with `    | `. A log of CI often keeps
 * only the end of the output, so the end must name the cause.
 */
export const FAILED_TEST = /^Failed: .*(?:\n {4}\| .*)*$/gm;

/**
 * Prints mocha's own report first, followed by each failed test with the beginning of its error. The last line,
 * `N passed, N failed`, is for .ci/run. A skipped test counts as failed.
 */
export default class ClosingLineReporter extends Mocha.reporters.Spec {
  readonly #failed: string[] = [];

  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const { EVENT_TEST_FAIL, EVENT_TEST_PENDING } = Mocha.Runner.constants;
    runner.on(EVENT_TEST_FAIL, (test, error: Error) => this.#failed.push(`${titleOf(test)}: ${beginningOf(error)}`));
    runner.on(EVENT_TEST_PENDING, (test) => this.#failed.push(`${titleOf(test)}: skipped`));
  }

  override epilogue(): void {
    super.epilogue();
    const { passes = 0, failures = 0, pending = 0 } = this.stats;
    for (const text of this.#failed) console.log(`Failed: ${text}`);
    console.log(`${passes} passed, ${failures + pending} failed`);
  }
}

function titleOf(test: Mocha.Runnable): string {
  return test.titlePath().join(' > ');
}

/** @param error the value that a test threw. The value can have any type. */
function beginningOf(error: unknown): string {
  const lines = (error instanceof Error ? error.message : String(error))
    .split('\n')
    .filter((line) => line.trim() !== '');
  const kept = lines.slice(0, MOST_LINES).map((line) => line.slice(0, MOST_CHARACTERS));
  return kept.join('\n    | ');
}
