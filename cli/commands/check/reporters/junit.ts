/** -o junit: a suite for each file or namespace, a test case for each workload. */
import junit, { type Builder, type TestSuite } from 'junit-report-builder';
import { counted } from '../../../../operator/report/text.ts';
import type { Trouble } from '../../../input/trouble.ts';
import type { Summary } from '../result.ts';
import { itemName, place, type Reporter, type ReporterOptions } from './reporter.ts';
import { type Shown, violationText } from './shown.ts';

/** The package's types describe its ES module, which Node does not load. */
const builder = junit as unknown as Builder;

export class JunitReporter implements Reporter {
  readonly #stdout: ReporterOptions['stdout'];
  readonly wide = true;
  readonly #report = builder.newBuilder().name('cappol check');
  readonly #suites = new Map<string, TestSuite>();

  constructor({ stdout }: ReporterOptions) {
    this.#stdout = stdout;
  }

  item({ item, violations, findings }: Shown): void {
    const { file, namespace, verdict } = item;
    const suite = file === null ? namespace : place(file, null);
    const test = this.#suite(suite).testCase().name(itemName(item)).className(suite);
    if (file !== null) test.file(file);
    const texts = violations.map((one) =>
      [place(file, one.first.line), violationText(one)].filter((part) => part !== ''),
    );
    if (verdict === 'Violating') {
      test
        .failure(counted(violations.length, 'violation'), verdict)
        .stacktrace(texts.map((parts) => parts.join(': ')).join('\n'));
    }
    if (verdict === 'Unknown' || verdict === 'NotSelected') test.skipped();
    if (findings.length > 0)
      test.standardOutput(findings.map(({ reason, message }) => `${reason}: ${message}`).join('\n'));
  }

  trouble({ file, line, message, severity }: Trouble): void {
    const test = this.#suite(place(file, null))
      .testCase()
      .name(place(file, line ?? null))
      .className(place(file, null));
    test.file(file);
    if (severity === 'warning') test.standardError(message);
    else test.error(message, 'Problem');
  }

  /** Each kind of object that was not judged is a skipped test. */
  end(summary: Summary): void {
    for (const { kind, count } of summary.notJudged) {
      this.#suite('not judged').testCase().name(`${kind} ${count}`).className('not judged').skipped();
    }
    this.#stdout.write(`${this.#report.build()}\n`);
  }

  #suite(name: string): TestSuite {
    const known = this.#suites.get(name);
    if (known) return known;
    const suite = this.#report.testSuite().name(name);
    this.#suites.set(name, suite);
    return suite;
  }
}
