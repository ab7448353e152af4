import Mocha from 'mocha';

/**
 * Prints mocha's own report first, followed by a line for each failed test. The last line, `N passed, N failed`, is for
 * .ci/run. A skipped test counts as failed.
 */
export default class ClosingLineReporter extends Mocha.reporters.Spec {
  readonly #failed: string[] = [];

  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const { EVENT_TEST_FAIL, EVENT_TEST_PENDING } = Mocha.Runner.constants;
    runner.on(EVENT_TEST_FAIL, (test, error: Error) => this.#failed.push(`${titleOf(test)}: ${firstLine(error)}`));
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

/** @param error the value of any type that a test threw */
function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n')[0] ?? '';
}
