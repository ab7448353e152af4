/** Prints a comparison as text for users, and as Markdown for a comment on a pull request. */
import type { Cause } from '../../../analysis/compare/causes.ts';
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
import { witnessText } from '../../../analysis/compare/witness.ts';
import { troublePlace } from '../../../analysis/manifests/trouble.ts';
import { placeOfSource } from '../../../analysis/policies/context.ts';
import { code, details, fitting, MOST_CHARACTERS } from '../../output/markdown.ts';
import type { Terminal } from '../../output/terminal.ts';
import { paragraph, wrap } from '../../output/wrap.ts';
import { isNamed } from './exit-code.ts';
import { causeIn, type PlaceOf } from './places.ts';

/** A comparison, and the places of the policies of the new set. */
interface PlacedComparison extends NamedComparison {
  readonly placeOf: PlaceOf;
}

export function comparisonText(printed: PlacedComparison, terminal: Terminal): string {
  const { comparison, placeOf } = printed;
  const paragraphs = [
    summaryLines(printed)
      .map((line) => paragraph(line, terminal))
      .join(''),
    ...DIRECTIONS.flatMap((direction) =>
      comparison[direction].map((difference) => differenceText(difference, direction, comparison, terminal, placeOf)),
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
  placeOf?: PlaceOf,
): string {
  const { width } = terminal;
  const words = differenceWords(difference, direction, classes, placeText(placeOf));
  const { where, refused, messages, admitted, caused } = words;
  return [
    directionLine(direction, where, terminal),
    wrap(refused, { width, indent: 2, hanging: 6 }),
    ...messages.map((message) => wrap(`- ${message}`, { width, indent: 4, hanging: 6 })),
    wrap(admitted, { width, indent: 2, hanging: 6 }),
    ...caused.map((text) => wrap(text, { width, indent: 2, hanging: 6 })),
    wrap('the smallest such pod (its names and images are placeholders):', { width, indent: 2 }),
    indented(witnessText(difference.pod), 4),
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

/** The place of a changed field, such as ` (policies.yaml:4)`. If the policy is not from a file, the text is empty. */
function placeText(placeOf: PlaceOf | undefined): (cause: Cause) => string {
  return (cause) => {
    const place = placeOf && causeIn(cause, placeOf);
    return place ? ` (${troublePlace(placeOfSource(place))})` : '';
  };
}

function indented(text: string, columns: number): string {
  return text.replaceAll(/^(?=.)/gm, ' '.repeat(columns));
}

/** A comparison as Markdown. The pods are folded. */
export function comparisonMarkdown(printed: PlacedComparison): string {
  const { comparison, placeOf } = printed;
  const sections = DIRECTIONS.flatMap((direction) =>
    comparison[direction].map((difference) => differenceMarkdown(difference, direction, comparison, placeOf)),
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
  placeOf?: PlaceOf,
): string {
  const words = differenceWords(difference, direction, classes, placeText(placeOf));
  const { where, refused, messages, admitted, caused } = words;
  const list = messages.map((message) => `- ${code(message)}`);
  const pod = details('the smallest pod that shows it', [`\`\`\`yaml\n${witnessText(difference.pod)}\`\`\``]);
  const causes = caused.map(code);
  return [`**${direction}** ${code(where)}`, refused, list.join('\n'), admitted, ...causes, ...pod].join('\n\n');
}

export function undecidedMarkdown(undecided: Undecided): string {
  return `**not decided** ${code(undecidedText(undecided))}`;
}

function headline({ opens, undecided }: Comparison): string {
  if (opens.length > 0) return '### CapabilityPolicy: the change admits more pods';
  const left = undecided.some((one) => isNamed(one.direction, 'opens'));
  return `### CapabilityPolicy: ${left ? 'not decided whether the change admits more pods' : 'the change admits no more pods'}`;
}
