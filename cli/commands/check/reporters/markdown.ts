/** The reporter for -o markdown, which writes a comment for a pull request. */
import { policiesText } from '../../../../analysis/check/merged.ts';
import type { Summary } from '../../../../analysis/check/result.ts';
import { counted } from '../../../../operator/text/wording.ts';
import { code, details, MOST_CHARACTERS, markdownTable } from '../../../output/markdown.ts';
import { itemName, place, type Reporter, type ReporterOptions } from './reporter.ts';
import { summaryLines } from './summary-text.ts';

export function markdownReporter({ stdout }: ReporterOptions): Reporter {
  const problems: string[][] = [];
  const broken: string[][] = [];
  const notes: string[][] = [];
  return {
    wide: false,
    item({ item, violations, findings }) {
      const name = code(itemName(item));
      const where = (line: number | null) => code(place(item.file, line));
      for (const one of violations) {
        const wrong = code(`${one.first.rule}: ${one.message}`);
        const result = `**${one.effect.toLowerCase()}**`;
        broken.push([result, name, where(one.first.line), wrong, code(policiesText(one))]);
      }
      for (const { reason, message, line } of findings) notes.push([name, where(line), code(`${reason}: ${message}`)]);
    },
    trouble({ file, line, message, severity = 'error' }) {
      problems.push([`**${severity}**`, code(place(file, line ?? null)), code(message)]);
    },
    end(summary, totals) {
      const paragraphs = [
        `### CapabilityPolicy: ${headline(summary)}`,
        summaryLines(summary, totals).join('<br>\n'),
        ...markdownTable(['', 'Where', 'Problem of the input'], problems, MOST_CHARACTERS * 0.2),
        ...markdownTable(['Result', 'Workload', 'Where', 'What is wrong', 'Policy'], broken, MOST_CHARACTERS * 0.6),
        ...details('Notes', markdownTable(['Workload', 'Where', 'Note'], notes, MOST_CHARACTERS * 0.2)),
      ];
      stdout.write(`${paragraphs.join('\n\n')}\n`);
    },
  };
}

function headline({ violating, errors }: Summary): string {
  const violate =
    violating === 0
      ? 'no workload violates'
      : `${counted(violating, 'workload')} ${violating === 1 ? 'violates' : 'violate'}`;
  return errors === 0 ? violate : `${violate}, ${counted(errors, 'error')}`;
}
