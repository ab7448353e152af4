import { writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import Mocha from 'mocha';
import { SEED } from './seed.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/**
 * The maximum number of lines of an error that the report repeats, and the maximum number of characters of each of
 * these lines.
 */
const MOST_LINES = 20;
const MOST_CHARACTERS = 600;

/** The tests of one file. */
export interface FileResult {
  passed: number;
  readonly failed: FailedTest[];
}

export interface FailedTest {
  readonly title: string;
  /** The beginning of the error. */
  readonly error: string;
}

/** The results by the path of the file. The hooks that belong to no file have the path `''`. */
export type Results = Record<string, FileResult>;

/**
 * Prints mocha's own report first, followed by each failed test with the beginning of its error. A log of CI often
 * keeps only the end of the output, so the end must name the cause. The last line, `N passed, N failed`, is for
 * .ci/run. A skipped test counts as failed.
 *
 * The option `results=FILE` writes the results to the file instead.
 */
export default class ClosingLineReporter extends Mocha.reporters.Spec {
  readonly #results: Results = {};
  readonly #file: string | undefined;

  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    this.#file = options.reporterOptions?.results;
    const { EVENT_TEST_PASS, EVENT_TEST_FAIL, EVENT_TEST_PENDING } = Mocha.Runner.constants;
    runner.on(EVENT_TEST_PASS, (test) => {
      this.#resultOf(test).passed += 1;
    });
    runner.on(EVENT_TEST_FAIL, (test, error: Error) => this.#fail(test, beginningOf(error)));
    runner.on(EVENT_TEST_PENDING, (test) => this.#fail(test, 'skipped'));
  }

  override epilogue(): void {
    super.epilogue();
    if (this.#file === undefined) console.log(summary(this.#results, SEED));
    else writeFileSync(this.#file, JSON.stringify(this.#results));
  }

  #fail(test: Mocha.Runnable, error: string): void {
    this.#resultOf(test).failed.push({ title: test.titlePath().join(' > '), error });
  }

  #resultOf({ file }: Mocha.Runnable): FileResult {
    const path = file === undefined ? '' : relative(ROOT, file);
    this.#results[path] ??= { passed: 0, failed: [] };
    return this.#results[path];
  }
}

/**
 * Describes each failed test, with the command that repeats its file. The following lines of the error begin with
 * `    | `. The last line is `N passed, N failed`.
 */
export function summary(results: Results, seed: number | string): string {
  const all = Object.entries(results);
  const failed = all.flatMap(([file, result]) =>
    result.failed.map(({ title, error }) => {
      const repeat = file === '' ? [] : [`repeat: SEED=${seed} node hack/preflight.js mocha ${file}`];
      return `Failed: ${[`${title}: ${error}`, ...repeat].join('\n    | ')}`;
    }),
  );
  const passed = all.reduce((sum, [, result]) => sum + result.passed, 0);
  return [...failed, `${passed} passed, ${failed.length} failed`].join('\n');
}

/** @param error the value that a test threw. The value can have any type. */
function beginningOf(error: unknown): string {
  const lines = (error instanceof Error ? error.message : String(error))
    .split('\n')
    .filter((line) => line.trim() !== '');
  const kept = lines.slice(0, MOST_LINES).map((line) => line.slice(0, MOST_CHARACTERS));
  return kept.join('\n    | ');
}
