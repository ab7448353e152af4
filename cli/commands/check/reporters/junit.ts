/** The reporter for -o junit. Each file or namespace is a test suite, and each workload is a test case. */
import junit, { type Builder, type TestSuite } from 'junit-report-builder';
import { referencesBy, referenceText } from '../../../../analysis/check/rule-references.ts';
import { counted } from '../../../../operator/text/wording.ts';
import { itemName, place, type Reporter, type ReporterOptions } from './reporter.ts';
import { violationText } from './shown.ts';

/**
 * The types of the package junit-report-builder describe the package's ES module, but Node loads the package's CommonJS
 * module.
 */
const builder = junit as unknown as Builder;

export function junitReporter({ stdout }: ReporterOptions): Reporter {
  const report = builder.newBuilder().name('cappol check');
  const suites = new Map<string, TestSuite>();
  const testCase = (suiteName: string, name: string) => {
    const suite = suites.get(suiteName) ?? report.testSuite().name(suiteName);
    suites.set(suiteName, suite);
    return suite.testCase().name(name).className(suiteName);
  };
  return {
    wide: true,
    item({ item, violations, findings }) {
      const { file, namespace, verdict } = item;
      const test = testCase(file === null ? namespace : place(file, null), itemName(item));
      if (file !== null) test.file(file);
      const texts = violations.map((one) =>
        [place(file, one.first.line), violationText(one)].filter((part) => part !== '').join(': '),
      );
      const rules = new Set(violations.map(({ first }) => first.rule));
      for (const rule of rules) {
        for (const reference of referencesBy(rule)) test.property(rule, referenceText(reference));
      }
      if (verdict === 'Violating') {
        test.failure(counted(violations.length, 'violation'), verdict).stacktrace(texts.join('\n'));
      }
      if (verdict === 'Unknown' || verdict === 'NotSelected') test.skipped();
      if (findings.length > 0)
        test.standardOutput(findings.map(({ reason, message }) => `${reason}: ${message}`).join('\n'));
    },
    trouble({ file, line, message, severity }) {
      const test = testCase(place(file, null), place(file, line ?? null)).file(file);
      if (severity === 'warning') test.standardError(message);
      else test.error(message, 'Problem');
    },
    /** Writes a skipped test for each kind of object that was not evaluated. */
    end({ notEvaluated }) {
      for (const { kind, count } of notEvaluated) testCase('not evaluated', `${kind} ${count}`).skipped();
      stdout.write(`${report.build()}\n`);
    },
  };
}
