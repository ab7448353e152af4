/** -o sarif: SARIF 2.1.0, for code scanning. */
import { SarifBuilder, SarifResultBuilder, SarifRuleBuilder, SarifRunBuilder } from 'node-sarif-builder';
import { FINDING_REASONS } from '../../../../analysis/capabilities/findings.ts';
import type { CheckedItem, CheckedViolation } from '../../../../analysis/check/result.ts';
import { referencesBy, referenceText } from '../../../../analysis/check/rule-references.ts';
import { USE_RULE } from '../../../../operator/evaluate/verdict.ts';
import { RULES } from '../../../../operator/rules/index.ts';
import { VERSION } from '../../../version.ts';
import { coverageLines } from '../coverage-text.ts';
import { itemName, type Reporter, type ReporterOptions, relativePath } from './reporter.ts';
import { severityOf, violationText } from './shown.ts';

/** The SARIF rule for problems of the input, which are not violations of a policy. */
const PROBLEM = 'InvalidManifest';

type Remark = Pick<CheckedViolation, 'path' | 'line'> & {
  readonly level: 'error' | 'warning' | 'note';
  readonly ruleId: string;
  readonly text: string;
};

export function sarifReporter({ stdout, cwd }: ReporterOptions): Reporter {
  const run = new SarifRunBuilder().initSimple({ toolDriverName: 'cappol', toolDriverVersion: VERSION });
  for (const [ruleId, shortDescriptionText] of ruleTexts()) {
    const descriptor = new SarifRuleBuilder().initSimple({ ruleId, shortDescriptionText });
    const references = referencesBy(ruleId);
    if (references.length > 0) descriptor.rule.properties = { tags: ['security', ...references.map(referenceText)] };
    run.addRule(descriptor);
  }
  /** Code scanning requires a relative path. */
  const uri = (file: string) =>
    (file === '-' ? 'stdin' : relativePath(cwd, file)).split('/').map(encodeURIComponent).join('/');
  const placed = (file: string | null, line: number | null) => ({
    ...(file !== null && { fileUri: uri(file) }),
    ...(file !== null && line !== null && { startLine: line }),
  });
  const add = (item: CheckedItem, { level, ruleId, text: messageText, path, line }: Remark) => {
    const result = new SarifResultBuilder().initSimple({ level, ruleId, messageText, ...placed(item.file, line) });
    const name = itemName(item);
    const logical = { name, kind: 'object', fullyQualifiedName: path === '' ? name : `${name}/${path}` };
    const [location = {}] = result.result.locations ?? [];
    result.result.locations = [{ ...location, logicalLocations: [logical] }];
    run.addResult(result);
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
    trouble({ file, line = null, message: messageText, severity: level = 'error' }) {
      const place = placed(file, line);
      run.addResult(new SarifResultBuilder().initSimple({ level, ruleId: PROBLEM, messageText, ...place }));
    },
    /** Objects that were not evaluated have no line, so they are reported for the run as a whole. */
    end(summary) {
      const notifications = coverageLines(summary).map((text) => ({ level: 'note' as const, message: { text } }));
      run.run.invocations = [{ executionSuccessful: true, toolExecutionNotifications: notifications }];
      const log = new SarifBuilder();
      log.addRun(run);
      stdout.write(`${log.buildSarifJsonString({ indent: true })}\n`);
    },
  };
}

function ruleTexts(): [string, string][] {
  return [
    ...RULES.map(({ id, title }): [string, string] => [id, title]),
    [USE_RULE, 'Whether the pod may use the policy.'],
    ...Object.entries(FINDING_REASONS),
    [PROBLEM, 'Input that cannot be read or evaluated, and fields that the API server refuses.'],
  ];
}
