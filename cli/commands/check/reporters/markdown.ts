/** -o markdown: a comment on a pull request. */
import { counted } from '../../../../operator/report/text.ts';
import type { Trouble } from '../../../input/trouble.ts';
import { code, details, MOST_CHARACTERS, markdownTable } from '../../../output/markdown.ts';
import { policiesText } from '../../../output/merged.ts';
import type { Summary } from '../result.ts';
import { itemName, place, type Reporter, type ReporterOptions } from './reporter.ts';
import type { Shown, Totals } from './shown.ts';
import { summaryLines } from './summary-text.ts';

export class MarkdownReporter implements Reporter {
  readonly #stdout: ReporterOptions['stdout'];
  readonly wide = false;
  readonly #problems: string[][] = [];
  readonly #violations: string[][] = [];
  readonly #notes: string[][] = [];

  constructor({ stdout }: ReporterOptions) {
    this.#stdout = stdout;
  }

  item({ item, violations, findings }: Shown): void {
    const name = code(itemName(item));
    const where = (line: number | null) => code(place(item.file, line));
    for (const one of violations) {
      const wrong = code(`${one.first.rule}: ${one.message}`);
      const result = `**${one.outcome.toLowerCase()}**`;
      this.#violations.push([result, name, where(one.first.line), wrong, code(policiesText(one))]);
    }
    for (const { reason, message, line } of findings) {
      this.#notes.push([name, where(line), code(`${reason}: ${message}`)]);
    }
  }

  trouble({ file, line, message, severity = 'error' }: Trouble): void {
    this.#problems.push([`**${severity}**`, code(place(file, line ?? null)), code(message)]);
  }

  end(summary: Summary, totals: Totals): void {
    const paragraphs = [
      `### CapabilityPolicy: ${headline(summary)}`,
      summaryLines(summary, totals).join('<br>\n'),
      ...markdownTable(['', 'Where', 'Problem of the input'], this.#problems, MOST_CHARACTERS * 0.2),
      ...markdownTable(
        ['Result', 'Workload', 'Where', 'What is wrong', 'Policy'],
        this.#violations,
        MOST_CHARACTERS * 0.6,
      ),
      ...details('Notes', markdownTable(['Workload', 'Where', 'Note'], this.#notes, MOST_CHARACTERS * 0.2)),
    ];
    this.#stdout.write(`${paragraphs.join('\n\n')}\n`);
  }
}

function headline({ violating, errors }: Summary): string {
  const violate =
    violating === 0
      ? 'no workload violates'
      : `${counted(violating, 'workload')} ${violating === 1 ? 'violates' : 'violate'}`;
  return errors === 0 ? violate : `${violate}, ${counted(errors, 'error')}`;
}
