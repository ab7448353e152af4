/** Findings about one set of policies, in all formats. docs/reference/compare-findings.schema.json describes the JSON. */
import { dump } from 'js-yaml';
import type { Finding, OpenQuestion } from '../../../analysis/compare/finding.ts';
import type { Findings } from '../../../analysis/compare/findings.ts';
import { troublePlace } from '../../../analysis/manifests/trouble.ts';
import { type PolicySource, placeOfSource } from '../../../analysis/policies/context.ts';
import { escapedControls, jsonText, printableTexts } from '../../../analysis/text/printable-values.ts';
import { counted } from '../../../operator/text/wording.ts';
import type { Io } from '../../command.ts';
import { code, fitting, MOST_CHARACTERS } from '../../output/markdown.ts';
import { type Terminal, terminalOf } from '../../output/terminal.ts';
import { wrap } from '../../output/wrap.ts';

export interface PrintedFindings {
  /** The set, as the command line names it. */
  readonly name: string;
  /** The number of policies in the set. */
  readonly policies: number;
  /** The places where the policies of files were read, by name of the policy. */
  readonly sources: ReadonlyMap<string, PolicySource>;
  readonly found: Findings;
}

type Printer = (printed: PrintedFindings, io: Io) => string;

export const FINDINGS_PRINTERS = {
  text: (printed, io) => findingsText(printableOf(printed), terminalOf(io)),
  json: (printed) => `${jsonText(documentOf(printed))}\n`,
  yaml: (printed) => escapedControls(dump(documentOf(printed), { lineWidth: -1, noRefs: true })),
  markdown: (printed) => findingsMarkdown(printableOf(printed)),
} satisfies Readonly<Record<string, Printer>>;

function documentOf({ name, policies, sources, found }: PrintedFindings) {
  return {
    policies: name,
    count: policies,
    findings: found.findings.map(({ kind, policy, others, rules, message }) => {
      const { file = null, line = null } = sources.get(policy) ?? {};
      return { kind, policy, file, line, others, rules, message };
    }),
    undecided: found.undecided.map(({ kind, policy, message }) => ({ kind, policy, message })),
  };
}

/** Everything in the output that somebody else wrote, without control characters. */
function printableOf(printed: PrintedFindings): PrintedFindings {
  const { findings, undecided } = printed.found;
  return { ...printed, found: { findings: printableTexts(findings), undecided: printableTexts(undecided) } };
}

function findingsText(printed: PrintedFindings, { width, paint }: Terminal): string {
  const { findings, undecided } = printed.found;
  const line = (text: string) => wrap(text, { width, hanging: 2 });
  return [
    line(summaryOf(printed)),
    ...findings.map((one) => line(`${paint('yellow', titleOf(one))}  ${nameOf(one, printed)}: ${one.message}`)),
    ...undecided.map((one) => line(`${paint('magenta', 'NOT DECIDED')}  ${undecidedText(one)}`)),
  ].join('');
}

function summaryOf({ name, policies, found: { findings, undecided } }: PrintedFindings): string {
  const open = undecided.length > 0 ? `; ${counted(undecided.length, 'question')} not decided` : '';
  const count = findings.length > 0 ? counted(findings.length, 'finding') : 'no finding';
  return `${name}: ${count} about ${policies === 1 ? '1 policy' : `${policies} policies`}${open}`;
}

function titleOf({ kind }: Pick<Finding, 'kind'>): string {
  return kind.replaceAll('-', ' ').toUpperCase();
}

function nameOf({ policy }: Finding, { sources }: PrintedFindings): string {
  const source = sources.get(policy);
  if (!source) return `policy ${policy}`;
  return `policy ${policy} (${troublePlace(placeOfSource(source))})`;
}

function undecidedText({ policy, kind, message }: OpenQuestion): string {
  return `policy ${policy}, ${titleOf({ kind }).toLowerCase()}: ${message}`;
}

function findingsMarkdown(printed: PrintedFindings): string {
  const { findings, undecided } = printed.found;
  const lines = [
    ...findings.map((one) => `- **${titleOf(one).toLowerCase()}** ${code(nameOf(one, printed))}: ${code(one.message)}`),
    ...undecided.map((one) => `- **not decided** ${code(undecidedText(one))}`),
  ];
  const { shown, more } = fitting(lines, MOST_CHARACTERS);
  const list = shown.length > 0 ? [shown.join('\n')] : [];
  return `${[code(summaryOf(printed)), ...list, ...more].join('\n\n')}\n`;
}
