/** A comparison as text for people, and as Markdown for a comment on a pull request. */
import { dump } from 'js-yaml';
import { type Comparison, DIRECTIONS, type Difference } from '../../../analysis/compare/compare.ts';
import {
  differenceWords,
  type NamedComparison,
  summariesOf,
  undecidedText,
} from '../../../analysis/compare/sentences.ts';
import { manifestOf } from '../../../analysis/compare/witness.ts';
import { printableTexts } from '../../../analysis/text/printable-values.ts';
import { code, details, fitting, MOST_CHARACTERS } from '../../output/markdown.ts';
import type { Terminal } from '../../output/terminal.ts';
import { wrap } from '../../output/wrap.ts';
import { isNamed } from './exit-code.ts';

export function comparisonText(printed: NamedComparison, { width, paint }: Terminal): string {
  const { comparison } = printed;
  const paragraphs = [
    summaryLines(printed)
      .map((line) => wrap(line, { width, hanging: 2 }))
      .join(''),
    ...DIRECTIONS.flatMap((direction) =>
      comparison[direction].map((difference) => {
        const title = paint(direction === 'opens' ? 'red' : 'yellow', direction.toUpperCase());
        const { where, refused, messages, admitted } = differenceWords(difference, direction, comparison);
        return [
          wrap(`${title}  ${where}`, { width, hanging: 2 }),
          wrap(refused, { width, indent: 2, hanging: 6 }),
          ...messages.map((message) => wrap(`- ${message}`, { width, indent: 4, hanging: 6 })),
          wrap(admitted, { width, indent: 2, hanging: 6 }),
          wrap('the smallest pod that shows it (its names are invented):', { width, indent: 2 }),
          indented(podText(difference), 4),
        ].join('');
      }),
    ),
    ...comparison.undecided.map((one) =>
      wrap(`${paint('magenta', 'NOT DECIDED')}  ${undecidedText(one)}`, { width, hanging: 2 }),
    ),
  ];
  return paragraphs.join('\n');
}

/** The answers for both directions, in one sentence each. */
export function summaryLines(printed: NamedComparison): string[] {
  return summariesOf(printed).map(({ state, text }) => (state === 'proved' ? `${text} (proved)` : text));
}

function podText({ pod }: Difference): string {
  return dump(printableTexts(manifestOf(pod)), { lineWidth: -1, noRefs: true });
}

function indented(text: string, columns: number): string {
  return text.replaceAll(/^(?=.)/gm, ' '.repeat(columns));
}

/** Markdown, in which the pods are folded. */
export function comparisonMarkdown(printed: NamedComparison): string {
  const { comparison } = printed;
  const sections = DIRECTIONS.flatMap((direction) =>
    comparison[direction].map((difference) => {
      const { where, refused, messages, admitted } = differenceWords(difference, direction, comparison);
      const list = messages.map((message) => `- ${code(message)}`);
      const pod = details('the smallest pod that shows it', [`\`\`\`yaml\n${podText(difference)}\`\`\``]);
      return [`**${direction}** ${code(where)}`, refused, list.join('\n'), admitted, ...pod].join('\n\n');
    }),
  );
  const { shown, more } = fitting(sections, MOST_CHARACTERS, 0);
  const undecided = comparison.undecided.map((one) => `**not decided** ${code(undecidedText(one))}`);
  const summary = summaryLines(printed).map((line) => `- ${code(line)}`);
  return `${[headline(comparison), summary.join('\n'), ...shown, ...more, ...undecided].join('\n\n')}\n`;
}

function headline({ opens, undecided }: Comparison): string {
  if (opens.length > 0) return '### CapabilityPolicy: the change admits more pods';
  const left = undecided.some((one) => isNamed(one.direction, 'opens'));
  return `### CapabilityPolicy: ${left ? 'not decided whether the change admits more pods' : 'the change admits no more pods'}`;
}
