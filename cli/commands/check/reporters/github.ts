/** -o github: workflow commands, which GitHub shows at the lines of a pull request. */
import { counted } from '../../../../operator/text/wording.ts';
import { coverageLines } from '../coverage-text.ts';
import { itemName, type Reporter, type ReporterOptions, relativePath } from './reporter.ts';
import { severityOf, violationText } from './shown.ts';

export function githubReporter({ stdout, cwd }: ReporterOptions): Reporter {
  const command = (level: string, file: string | null, line: number | null, title: string, text: string) => {
    const place = {
      ...(file !== null && file !== '-' && { file: relativePath(cwd, file) }),
      ...(line !== null && { line: String(line) }),
      title,
    };
    const properties = Object.entries(place).map(([key, value]) => `${key}=${property(value)}`);
    stdout.write(`::${level} ${properties.join(',')}::${message(text)}\n`);
  };
  return {
    wide: true,
    item({ item, violations, findings }) {
      const title = itemName(item);
      for (const violation of violations) {
        command(severityOf(violation), item.file, violation.first.line, title, violationText(violation));
      }
      for (const { reason, message: text, line } of findings) {
        command('notice', item.file, line, title, `${reason}: ${text}`);
      }
    },
    trouble({ file, line, message: text, severity = 'error' }) {
      command(severity, file, line ?? null, 'cappol', text);
    },
    end(summary, totals) {
      const { items, violating } = summary;
      const violations = counted(totals.merged, 'violation');
      const text = `${counted(items, 'workload')} evaluated, ${violating} violating, ${violations}`;
      for (const line of [text, ...coverageLines(summary)]) command('notice', null, null, 'cappol', line);
    },
  };
}

/** Escapes a message as core/src/command.ts of https://github.com/actions/toolkit does. */
function message(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return message(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
