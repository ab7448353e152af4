/** -o github: workflow commands, which GitHub shows at the lines of a pull request. */
import { relative, resolve, sep } from 'node:path';
import { counted } from '../../../../operator/report/text.ts';
import type { Trouble } from '../../../input/trouble.ts';
import { coverageLines } from '../coverage-text.ts';
import type { Summary } from '../result.ts';
import { itemName, type Reporter, type ReporterOptions } from './reporter.ts';
import { type Shown, severityOf, type Totals, violationText } from './shown.ts';

export class GithubReporter implements Reporter {
  readonly #options: ReporterOptions;
  readonly wide = true;

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  item({ item, violations, findings }: Shown): void {
    const title = itemName(item);
    for (const violation of violations) {
      this.#command(severityOf(violation), item.file, violation.first.line, title, violationText(violation));
    }
    for (const { reason, message, line } of findings) {
      this.#command('notice', item.file, line, title, `${reason}: ${message}`);
    }
  }

  trouble({ file, line, message: text, severity = 'error' }: Trouble): void {
    this.#command(severity, file, line ?? null, 'cappol', text);
  }

  end(summary: Summary, totals: Totals): void {
    const { items, violating } = summary;
    const violations = counted(totals.merged, 'violation');
    const text = `${counted(items, 'workload')} judged, ${violating} violating, ${violations}`;
    for (const line of [text, ...coverageLines(summary)]) this.#command('notice', null, null, 'cappol', line);
  }

  #command(level: string, file: string | null, line: number | null, title: string, text: string): void {
    const { stdout, cwd } = this.#options;
    const place = {
      ...(file !== null && file !== '-' && { file: relative(cwd, resolve(cwd, file)).split(sep).join('/') }),
      ...(line !== null && { line: String(line) }),
      title,
    };
    const properties = Object.entries(place).map(([key, value]) => `${key}=${property(value)}`);
    stdout.write(`::${level} ${properties.join(',')}::${message(text)}\n`);
  }
}

/** https://github.com/actions/toolkit, core/src/command.ts */
function message(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return message(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
