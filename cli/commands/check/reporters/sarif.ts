/** -o sarif: SARIF 2.1.0, for code scanning. */
import { relative, resolve, sep } from 'node:path';
import { SarifBuilder, SarifResultBuilder, SarifRuleBuilder, SarifRunBuilder } from 'node-sarif-builder';
import { FINDING_REASONS } from '../../../../operator/evaluate/findings.ts';
import { USE_RULE } from '../../../../operator/evaluate/verdict.ts';
import { RULES } from '../../../../operator/rules/index.ts';
import type { Trouble } from '../../../input/trouble.ts';
import { VERSION } from '../../../version.ts';
import { coverageLines } from '../coverage-text.ts';
import type { CheckedItem, Summary } from '../result.ts';
import { itemName, type Reporter, type ReporterOptions } from './reporter.ts';
import { type Shown, severityOf, violationText } from './shown.ts';

/** The SARIF rule for problems of the input itself. */
const PROBLEM = 'InvalidManifest';

interface Remark {
  readonly level: 'error' | 'warning' | 'note';
  readonly ruleId: string;
  readonly text: string;
  readonly path: string;
  readonly line: number | null;
}

export class SarifReporter implements Reporter {
  readonly #options: ReporterOptions;
  readonly wide = true;
  readonly #run = new SarifRunBuilder().initSimple({ toolDriverName: 'cappol', toolDriverVersion: VERSION });

  constructor(options: ReporterOptions) {
    this.#options = options;
    for (const [id, text] of ruleTexts()) {
      this.#run.addRule(new SarifRuleBuilder().initSimple({ ruleId: id, shortDescriptionText: text }));
    }
  }

  item({ item, violations, findings }: Shown): void {
    for (const violation of violations) {
      const { rule: ruleId, path, line } = violation.first;
      this.#add(item, { level: severityOf(violation), ruleId, text: violationText(violation), path, line });
    }
    for (const { reason, message, path, line } of findings) {
      this.#add(item, { level: 'note', ruleId: reason, text: message, path, line });
    }
  }

  trouble({ file, line, message, severity }: Trouble): void {
    const place = { fileUri: this.#uri(file), ...(line !== undefined && { startLine: line }) };
    const level = severity ?? 'error';
    const result = new SarifResultBuilder().initSimple({ level, ruleId: PROBLEM, messageText: message, ...place });
    this.#run.addResult(result);
  }

  /** Objects that were not judged have no line, so they are reported for the run as a whole. */
  end(summary: Summary): void {
    const notifications = coverageLines(summary).map((text) => ({ level: 'note' as const, message: { text } }));
    this.#run.run.invocations = [{ executionSuccessful: true, toolExecutionNotifications: notifications }];
    const log = new SarifBuilder();
    log.addRun(this.#run);
    this.#options.stdout.write(`${log.buildSarifJsonString({ indent: true })}\n`);
  }

  #add(item: CheckedItem, { level, ruleId, text, path, line }: Remark): void {
    const { file } = item;
    const result = new SarifResultBuilder().initSimple({
      level,
      ruleId,
      messageText: text,
      ...(file !== null && { fileUri: this.#uri(file) }),
      ...(file !== null && line !== null && { startLine: line }),
    });
    const name = itemName(item);
    const logical = { name, kind: 'object', fullyQualifiedName: path === '' ? name : `${name}/${path}` };
    const [location = {}] = result.result.locations ?? [];
    result.result.locations = [{ ...location, logicalLocations: [logical] }];
    this.#run.addResult(result);
  }

  /** A relative path, as code scanning requires it. */
  #uri(file: string): string {
    const { cwd } = this.#options;
    const path = file === '-' ? 'stdin' : relative(cwd, resolve(cwd, file));
    return path.split(sep).map(encodeURIComponent).join('/');
  }
}

function ruleTexts(): [string, string][] {
  return [
    ...RULES.map(({ id, title }): [string, string] => [id, title]),
    [USE_RULE, 'Whether the pod may use the policy.'],
    ...Object.entries(FINDING_REASONS),
    [PROBLEM, 'Input that cannot be read or judged, and fields that the API server refuses.'],
  ];
}
