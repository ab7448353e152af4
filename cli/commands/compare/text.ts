/** Prints a comparison as text for users, and as Markdown for a comment on a pull request. */
import { dump } from 'js-yaml';
import {
  type Comparison,
  DIRECTIONS,
  type Difference,
  type Direction,
  type Undecided,
} from '../../../analysis/compare/compare.ts';
import {
  differenceWords,
  type NamedComparison,
  type Summary,
  summariesOf,
  undecidedText,
} from '../../../analysis/compare/sentences.ts';
import { manifestOf } from '../../../analysis/compare/witness.ts';
import { printableTexts } from '../../../analysis/text/printable-values.ts';
import { code, details, fitting, MOST_CHARACTERS } from '../../output/markdown.ts';
import type { Terminal } from '../../output/terminal.ts';
import { paragraph, wrap } from '../../output/wrap.ts';
import { isNamed } from './exit-code.ts';

export function comparisonText(printed: NamedComparison, terminal: Terminal): string {
  const { comparison } = printed;
  const paragraphs = [
    summaryLines(printed)
      .map((line) => paragraph(line, terminal))
      .join(''),
    ...DIRECTIONS.flatMap((direction) =>
      comparison[direction].map((difference) => differenceText(difference, direction, comparison, terminal)),
    ),
    ...comparison.undecided.map((one) => undecidedLine(one, terminal)),
  ];
  return paragraphs.join('\n');
}

/** A difference as text, with both verdicts and the pod. */
export function differenceText(
  difference: Difference,
  direction: Direction,
  classes: Pick<Comparison, 'classes'>,
  terminal: Terminal,
): string {
  const { width } = terminal;
  const { where, refused, messages, admitted } = differenceWords(difference, direction, classes);
  return [
    directionLine(direction, where, terminal),
    wrap(refused, { width, indent: 2, hanging: 6 }),
    ...messages.map((message) => wrap(`- ${message}`, { width, indent: 4, hanging: 6 })),
    wrap(admitted, { width, indent: 2, hanging: 6 }),
    wrap('the smallest such pod (its names and images are placeholders):', { width, indent: 2 }),
    indented(podText(difference), 4),
  ].join('');
}

/** A line that begins with the direction, such as `OPENS  rule hostNetwork, in every namespace`. */
export function directionLine(direction: Direction, text: string, terminal: Terminal): string {
  const title = terminal.paint(direction === 'opens' ? 'red' : 'yellow', direction.toUpperCase());
  return paragraph(`${title}  ${text}`, terminal);
}

export function undecidedLine(undecided: Undecided, terminal: Terminal): string {
  return paragraph(`${terminal.paint('magenta', 'NOT DECIDED')}  ${undecidedText(undecided)}`, terminal);
}

/** The results for both directions, in one sentence each. */
export function summaryLines(printed: NamedComparison): string[] {
  return summariesOf(printed).map(summaryLine);
}

/** The result for one direction. If the result is proved, the line ends with `(proved)`. */
export function summaryLine({ state, text }: Summary): string {
  return state === 'proved' ? `${text} (proved)` : text;
}

function podText({ pod }: Difference): string {
  return dump(printableTexts(manifestOf(pod)), { lineWidth: -1, noRefs: true });
}

function indented(text: string, columns: number): string {
  return text.replaceAll(/^(?=.)/gm, ' '.repeat(columns));
}

/** A comparison as Markdown. The pods are folded. */
export function comparisonMarkdown(printed: NamedComparison): string {
  const { comparison } = printed;
  const sections = DIRECTIONS.flatMap((direction) =>
    comparison[direction].map((difference) => differenceMarkdown(difference, direction, comparison)),
  );
  const { shown, more } = fitting(sections, MOST_CHARACTERS, 0);
  const undecided = comparison.undecided.map(undecidedMarkdown);
  const summary = summaryLines(printed).map((line) => `- ${code(line)}`);
  return `${[headline(comparison), summary.join('\n'), ...shown, ...more, ...undecided].join('\n\n')}\n`;
}

/** A difference as Markdown, with both verdicts. The pod is folded. */
export function differenceMarkdown(
  difference: Difference,
  direction: Direction,
  classes: Pick<Comparison, 'classes'>,
): string {
  const { where, refused, messages, admitted } = differenceWords(difference, direction, classes);
  const list = messages.map((message) => `- ${code(message)}`);
  const pod = details('the smallest pod that shows it', [`\`\`\`yaml\n${podText(difference)}\`\`\``]);
  return [`**${direction}** ${code(where)}`, refused, list.join('\n'), admitted, ...pod].join('\n\n');
}

export function undecidedMarkdown(undecided: Undecided): string {
  return `**not decided** ${code(undecidedText(undecided))}`;
}

function headline({ opens, undecided }: Comparison): string {
  if (opens.length > 0) return '### CapabilityPolicy: the change admits more pods';
  const left = undecided.some((one) => isNamed(one.direction, 'opens'));
  return `### CapabilityPolicy: ${left ? 'not decided whether the change admits more pods' : 'the change admits no more pods'}`;
}
