/** A comparison as text for people, and as Markdown for a comment on a pull request. */
import { dump } from 'js-yaml';
import type { Comparison, Difference, Undecided } from '../../../analysis/compare/compare.ts';
import { printableTexts } from '../../../analysis/text/printable-values.ts';
import { type PodVerdict, USE_RULE, violationsBy } from '../../../operator/evaluate/verdict.ts';
import type { Violation } from '../../../operator/evaluate/violations.ts';
import { counted } from '../../../operator/text/wording.ts';
import { code, details, MOST_CHARACTERS } from '../../output/markdown.ts';
import type { Terminal } from '../../output/terminal.ts';
import { wrap } from '../../output/wrap.ts';
import { manifestOf, type Printed } from './document.ts';
import { isNamed } from './exit-code.ts';

export type Direction = 'opens' | 'closes';
export const DIRECTIONS: readonly Direction[] = ['opens', 'closes'];

/** The meaning of each direction, and the answer if nothing was found. */
const MEANING = {
  opens: { title: 'admits pods that', verb: 'refuses', none: 'opens nothing: it admits no pod that' },
  closes: { title: 'refuses pods that', verb: 'admits', none: 'closes nothing: it refuses no pod that' },
} as const;

export function comparisonText(printed: Printed, { width, paint }: Terminal): string {
  const { comparison } = printed;
  const paragraphs = [
    summaryLines(printed)
      .map((line) => wrap(line, { width, hanging: 2 }))
      .join(''),
    ...DIRECTIONS.flatMap((direction) =>
      comparison[direction].map((difference) => {
        const title = paint(direction === 'opens' ? 'red' : 'yellow', direction.toUpperCase());
        const lines = differenceLines(difference, direction, comparison);
        const [where = '', ...others] = lines;
        return [
          wrap(`${title}  ${where}`, { width, hanging: 2 }),
          ...others.map((line) => wrap(line, { width, indent: line.startsWith('- ') ? 4 : 2, hanging: 6 })),
          wrap('the smallest pod that shows it:', { width, indent: 2 }),
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
export function summaryLines({ old, new: now, comparison }: Printed): string[] {
  if (comparison.same) return [`same: ${now} admits exactly the pods that ${old} admits (proved)`];
  return DIRECTIONS.map((direction) => {
    const { title, verb, none } = MEANING[direction];
    const found = comparison[direction].length;
    const left = comparison.undecided.filter((one) => isNamed(one.direction, direction)).length;
    const open = left > 0 ? `; ${counted(left, 'question')} not decided` : '';
    if (found > 0) return `${now} ${title} ${old} ${verb}: ${counted(found, 'difference')}${open}`;
    if (left > 0) return `${now} ${title} ${old} ${verb}: none was found${open}`;
    return `${now} ${none} ${old} ${verb} (proved)`;
  });
}

function differenceLines(difference: Difference, direction: Direction, comparison: Comparison): string[] {
  const [refused, admitted] =
    direction === 'opens' ? [difference.before, difference.after] : [difference.after, difference.before];
  const [whenRefused, whenAdmitted] = direction === 'opens' ? ['before', 'now'] : ['now', 'before'];
  const policies = Object.keys(refused.violations);
  const [rule = '', ...others] = difference.rules;
  const { admittedBy } = admitted;
  return [
    `${rule === USE_RULE ? 'use of policies' : `rule ${rule}`}, in ${whereText(difference, comparison)}`,
    `refused ${whenRefused}${policies.length > 0 ? ` by ${policies.map((policy) => `policy ${policy}`).join(' and ')}` : ''}:`,
    ...messagesIn(refused, rule).map((message) => `- ${message}`),
    ...(others.length > 0 ? [`- the pod also breaks ${others.join(', ')}`] : []),
    `admitted ${whenAdmitted}${admittedBy === undefined ? ', because no policy decides' : ` by policy ${admittedBy}`}`,
  ];
}

/** The namespaces and the users for whom the difference holds: `namespaces with team=a, for users of policy web` */
export function whereText({ namespace, use }: Difference, { classes }: Comparison): string {
  return `${classes === 1 ? 'every namespace' : namespaceText(namespace)}${useText(use)}`;
}

function namespaceText(labels: Readonly<Record<string, string>>): string {
  const { 'kubernetes.io/metadata.name': name, ...others } = labels;
  const texts = Object.entries(others).map(([key, value]) => `${key}=${value}`);
  if (name !== undefined) return `namespace ${name}${texts.length > 0 ? ` with ${texts.join(', ')}` : ''}`;
  return texts.length > 0 ? `namespaces with ${texts.join(', ')}` : 'namespaces without the labels that selectors name';
}

function useText(use: readonly string[]): string {
  return use.length === 0 ? '' : `, for users of policy ${use.join(', ')}`;
}

function messagesIn({ violations }: PodVerdict, rule: string): string[] {
  const policies = Object.keys(violations);
  return policies.flatMap((policy) =>
    violationsOf(policy, violations, rule).map(
      ({ message }) => `${policies.length > 1 ? `${policy}: ` : ''}${message}`,
    ),
  );
}

/** A policy's violations of the rule; all its violations if the rule is the use of policies. */
export function violationsOf(policy: string, violations: PodVerdict['violations'], rule: string): readonly Violation[] {
  return violationsBy(policy, violations).filter((one) => rule === USE_RULE || one.rule === rule);
}

export function undecidedText({ namespace, use = [], direction, message }: Undecided): string {
  const where = namespace ? `, in ${namespaceText(namespace)}${useText(use)}` : '';
  return `${direction ?? 'opens and closes'}${where}: ${message}`;
}

function podText({ pod }: Difference): string {
  return dump(printableTexts(manifestOf(pod)), { lineWidth: -1, noRefs: true });
}

function indented(text: string, columns: number): string {
  return text.replaceAll(/^(?=.)/gm, ' '.repeat(columns));
}

/** Markdown, in which the pods are folded. */
export function comparisonMarkdown(printed: Printed): string {
  const { comparison } = printed;
  let room = MOST_CHARACTERS;
  const sections = DIRECTIONS.flatMap((direction) =>
    comparison[direction].map((difference) => {
      const [where = '', refused = '', ...others] = differenceLines(difference, direction, comparison);
      const messages = others.slice(0, -1).map((message) => `- ${code(message.slice(2))}`);
      const pod = details('the smallest pod that shows it', [`\`\`\`yaml\n${podText(difference)}\`\`\``]);
      return [`**${direction}** ${code(where)}`, refused, messages.join('\n'), others.at(-1) ?? '', ...pod].join(
        '\n\n',
      );
    }),
  );
  const shown = sections.filter((section) => {
    room -= section.length;
    return room >= 0;
  });
  const more = sections.length > shown.length ? [`… and ${sections.length - shown.length} more`] : [];
  const undecided = comparison.undecided.map((one) => `**not decided** ${code(undecidedText(one))}`);
  const summary = summaryLines(printed).map((line) => `- ${code(line)}`);
  return `${[headline(comparison), summary.join('\n'), ...shown, ...more, ...undecided].join('\n\n')}\n`;
}

function headline({ opens, undecided }: Comparison): string {
  if (opens.length > 0) return '### CapabilityPolicy: the change admits more pods';
  const left = undecided.some((one) => isNamed(one.direction, 'opens'));
  return `### CapabilityPolicy: ${left ? 'not decided whether the change admits more pods' : 'the change admits no more pods'}`;
}
