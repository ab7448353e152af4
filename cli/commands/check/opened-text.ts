/** Prints which pods candidate policies newly admit. The formats are text for users and Markdown. */
import type { Opened, Opening } from '../../../analysis/compare/opened.ts';
import { admitterText, differenceWords, summaryOf } from '../../../analysis/compare/sentences.ts';
import { printableTexts } from '../../../analysis/text/printable-values.ts';
import { counted, firstOf } from '../../../operator/text/wording.ts';
import { code, details, fitting, MOST_CHARACTERS } from '../../output/markdown.ts';
import type { Terminal } from '../../output/terminal.ts';
import { paragraph } from '../../output/wrap.ts';
import {
  differenceMarkdown,
  differenceText,
  directionLine,
  summaryLine,
  undecidedLine,
  undecidedMarkdown,
} from '../compare/text.ts';

/**
 * The comparison of the live policies with the policies after the change. Besides the comparison, the object contains
 * values that the sentences about the comparison need.
 */
export interface OpenedAnswer {
  readonly opened: Opened;
  readonly candidates: readonly string[];
  /** The only namespace that was evaluated. If the value is undefined, all namespaces were evaluated. */
  readonly namespace: string | undefined;
  /** Notes on what the result does not cover. Each note is one sentence. */
  readonly notes: readonly string[];
}

/** The maximum number of names of policies or namespaces in a line. */
const NAMED = 3;
/** The maximum number of lines in a list. The wide output has no limit. */
const MOST_LINES = 20;

/**
 * The differences as text. Each line names a rule, a class of namespaces, and the users whom the difference concerns.
 */
export function openedText(answer: OpenedAnswer, terminal: Terminal): string {
  const { opens, undecided } = answer.opened;
  const hints = [
    ...(opens.length > 0 ? ['-o wide shows the smallest pod for each difference'] : []),
    ...(Math.max(opens.length, undecided.length) > MOST_LINES ? ['-o wide shows all lines'] : []),
  ];
  return [...openedLines(answer, terminal, MOST_LINES), ...hints.map((line) => paragraph(line, terminal))].join('');
}

/** All differences as lines. After the lines, the text shows the pod of each difference. */
export function openedWideText(answer: OpenedAnswer, terminal: Terminal): string {
  const { opens, ...opened } = printableTexts(answer.opened);
  const pods = opens.map((one) => differenceText(one, 'opens', opened, terminal));
  return [openedLines(answer, terminal, Number.POSITIVE_INFINITY).join(''), ...pods].join('\n');
}

function openedLines(printed: OpenedAnswer, terminal: Terminal, most: number): string[] {
  const answer = printableTexts(printed);
  const { opened, notes } = answer;
  return [
    paragraph(summaryText(answer), terminal),
    ...firstLines(
      opened.opens.map((one) => directionLine('opens', openingText(one, answer), terminal)),
      most,
    ),
    ...firstLines(
      opened.undecided.map((one) => undecidedLine(one, terminal)),
      most,
    ),
    ...notes.map((note) => paragraph(note, terminal)),
  ];
}

function firstLines(lines: readonly string[], most: number): readonly string[] {
  return lines.length > most ? [...lines.slice(0, most), `… and ${lines.length - most} more\n`] : lines;
}

/** The paragraphs about newly admitted pods, for a comment on a pull request. */
export interface OpenedMarkdown {
  readonly summary: readonly string[];
  readonly details: readonly string[];
}

export function openedMarkdown(printed: OpenedAnswer): OpenedMarkdown {
  const answer = printableTexts(printed);
  const { opened, notes } = answer;
  const lines = [
    ...opened.opens.map((one) => `- **opens** ${code(openingText(one, answer))}`),
    ...opened.undecided.map((one) => `- ${undecidedMarkdown(one)}`),
  ];
  const list = fitting(lines, MOST_CHARACTERS * 0.1);
  const pods = fitting(
    opened.opens.map((one) => differenceMarkdown(one, 'opens', opened)),
    MOST_CHARACTERS * 0.2,
  );
  return {
    summary: [code(summaryText(answer)), list.shown.join('\n'), ...list.more, ...notes.map(code)].filter(
      (text) => text !== '',
    ),
    details: details('The smallest pod for each difference', [...pods.shown, ...pods.more]),
  };
}

/** One sentence that sums up the result for all namespaces and users. */
function summaryText({ candidates, opened }: OpenedAnswer): string {
  const names = { old: 'the live policy set', new: `the policy set with ${firstOf(candidates, NAMED)}` };
  return summaryLine(summaryOf({ ...opened, ...names, found: opened.opens }, 'opens'));
}

/**
 * A difference as text, such as `rule hostPID, in namespaces with team=net: admitted by policy a; 2 such namespaces in
 * the cluster: net, web`.
 */
function openingText(opening: Opening, { opened, namespace }: OpenedAnswer): string {
  const { where } = differenceWords(opening, 'opens', opened);
  const namespaces =
    namespace === undefined ? namespacesText(opening) : namespaceText(namespace, opening.namespaces.length > 0);
  return `${where}: admitted${admitterText(opening.after)}; ${namespaces}`;
}

function namespacesText({ namespaces }: Opening): string {
  if (namespaces.length === 0) return 'the cluster has no such namespace';
  return `${counted(namespaces.length, 'such namespace')} in the cluster: ${firstOf(namespaces, NAMED)}`;
}

function namespaceText(namespace: string, isMember: boolean): string {
  return `namespace ${namespace} is ${isMember ? '' : 'not '}such a namespace`;
}
