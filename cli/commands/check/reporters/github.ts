/**
 * The reporter for -o github, which writes workflow commands. GitHub shows workflow commands at the lines of a pull
 * request.
 */
import { counted } from '../../../../operator/text/wording.ts';
import { type WorkflowCommand, workflowCommand } from '../../../output/workflow-command.ts';
import { coverageLines } from '../coverage-text.ts';
import { itemName, type Reporter, type ReporterOptions } from './reporter.ts';
import { severityOf, violationText } from './shown.ts';

export function githubReporter({ stdout, cwd }: ReporterOptions): Reporter {
  const write = (command: WorkflowCommand) => void stdout.write(workflowCommand(command, cwd));
  return {
    wide: true,
    item({ item, violations, findings }) {
      const { file } = item;
      const title = itemName(item);
      for (const violation of violations) {
        const { line } = violation.first;
        write({ level: severityOf(violation), file, line, title, text: violationText(violation) });
      }
      for (const { reason, message, line } of findings) {
        write({ level: 'notice', file, line, title, text: `${reason}: ${message}` });
      }
    },
    trouble({ file, line = null, message: text, severity: level = 'error' }) {
      write({ level, file, line, title: 'cappol', text });
    },
    end(summary, totals) {
      const { items, violating } = summary;
      const violations = counted(totals.merged, 'violation');
      const sum = `${counted(items, 'workload')} evaluated, ${violating} violating, ${violations}`;
      for (const text of [sum, ...coverageLines(summary)]) {
        write({ level: 'notice', file: null, line: null, title: 'cappol', text });
      }
    },
  };
}
