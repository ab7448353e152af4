/** The reporter for -o sarif, which writes SARIF 2.1.0, for code scanning. */
import { FINDING_REASONS } from '../../../../analysis/capabilities/findings.ts';
import type { CheckedItem, CheckedViolation } from '../../../../analysis/check/result.ts';
import { PROBLEM, type SarifResult, SarifRun } from '../../../output/sarif.ts';
import { coverageLines } from '../coverage-text.ts';
import { itemName, type Reporter, type ReporterOptions } from './reporter.ts';
import { severityOf, violationText } from './shown.ts';

type Remark = Pick<CheckedViolation, 'path' | 'line'> & Pick<SarifResult, 'level' | 'ruleId' | 'text'>;

export function sarifReporter({ stdout, cwd }: ReporterOptions): Reporter {
  const run = new SarifRun(cwd, Object.entries(FINDING_REASONS));
  const add = (item: CheckedItem, { path, ...remark }: Remark) => {
    const name = itemName(item);
    const logicalLocation = { name, kind: 'object', fullyQualifiedName: path === '' ? name : `${name}/${path}` };
    run.add({ ...remark, file: item.file, logicalLocation });
  };
  return {
    wide: true,
    item({ item, violations, findings }) {
      for (const violation of violations) {
        const { rule: ruleId, path, line } = violation.first;
        add(item, { level: severityOf(violation), ruleId, text: violationText(violation), path, line });
      }
      for (const { reason, message, path, line } of findings) {
        add(item, { level: 'note', ruleId: reason, text: message, path, line });
      }
    },
    trouble({ file, line = null, message: text, severity: level = 'error' }) {
      run.add({ level, ruleId: PROBLEM, text, file, line });
    },
    /** Objects that were not evaluated have no line, so the output reports these objects for the whole run. */
    end: (summary) => void stdout.write(run.text(coverageLines(summary))),
  };
}
