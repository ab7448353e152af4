/** Prints findings about one set of policies, in all formats. */
import { dump } from 'js-yaml';
import { type Finding, kindText, openQuestionText } from '../../../analysis/compare/finding.ts';
import { type Trouble, troublePlace } from '../../../analysis/manifests/trouble.ts';
import { placeOfSource } from '../../../analysis/policies/context.ts';
import { escapedControls, jsonText, printableTexts } from '../../../analysis/text/printable-values.ts';
import { printable } from '../../../operator/text/printable.ts';
import { counted } from '../../../operator/text/wording.ts';
import type { Io } from '../../command.ts';
import { code, fitting, MOST_CHARACTERS } from '../../output/markdown.ts';
import { type Terminal, terminalOf } from '../../output/terminal.ts';
import { wrap } from '../../output/wrap.ts';
import type { Output } from './choices.ts';
import { findingRemarks, type PlacedFindings } from './findings-remarks.ts';
import { githubText, type Remarks, sarifText } from './remark-printers.ts';
import { troubleRemark } from './remarks.ts';

/** The data about a set of policies, as input for the printers. */
export interface PrintedFindings extends PlacedFindings {
  /** The name of the set, as the output shows it. */
  readonly name: string;
  /** The set, as the user named it on the command line. */
  readonly argument: string;
  /** The number of policies in the set. */
  readonly policies: number;
}

type Printer = (printed: PrintedFindings, troubles: readonly Trouble[], io: Io) => string;

/** @param troubles the warnings about the input */
export const FINDINGS_PRINTERS: Readonly<Record<Output, Printer>> = {
  text: (printed, _, io) => findingsText(printableOf(printed), terminalOf(io)),
  json: (printed) => `${jsonText(documentOf(printed))}\n`,
  yaml: (printed) => escapedControls(dump(documentOf(printed), { lineWidth: -1, noRefs: true })),
  markdown: (printed) => findingsMarkdown(printableOf(printed)),
  github: (printed, troubles, io) => githubText(remarksAbout(printableOf(printed), troubles), io.cwd),
  sarif: (printed, troubles, io) => sarifText(remarksAbout(printableOf(printed), troubles), io.cwd),
};

function remarksAbout(printed: PrintedFindings, troubles: readonly Trouble[]): Remarks {
  const remarks = [...troubles.map(troubleRemark), ...findingRemarks(printed)];
  return { remarks, summary: [printable(summaryOf(printed))], set: printed.argument };
}

function documentOf({ name, policies, sources, found }: PrintedFindings) {
  return {
    policies: name,
    count: policies,
    findings: found.findings.map(({ kind, policy, others, rules, message }) => {
      const { file = null, line = null } = sources.get(policy) ?? {};
      return { kind, policy, file, line, others, rules, message };
    }),
    undecided: found.undecided.map(({ kind = null, policy = null, message }) => ({ kind, policy, message })),
  };
}

/** The data about a set, without control characters in the texts of findings and questions. */
function printableOf(printed: PrintedFindings): PrintedFindings {
  const { found } = printed;
  const texts = { findings: printableTexts(found.findings), undecided: printableTexts(found.undecided) };
  return { ...printed, found: { ...found, ...texts } };
}

function findingsText(printed: PrintedFindings, { width, paint }: Terminal): string {
  const { findings, undecided } = printed.found;
  const line = (text: string) => wrap(text, { width, hanging: 2 });
  return [
    line(summaryOf(printed)),
    ...findings.map((one) =>
      line(`${paint('yellow', kindText(one.kind).toUpperCase())}  ${nameOf(one, printed)}: ${one.message}`),
    ),
    ...undecided.map((one) => line(`${paint('magenta', 'NOT DECIDED')}  ${openQuestionText(one)}`)),
  ].join('');
}

function summaryOf({ name, policies, found: { findings, undecided, isCut } }: PrintedFindings): string {
  const notDecided = undecided.length > 0 ? `; ${counted(undecided.length, 'question')} not decided` : '';
  // When the time is over, a single question represents everything that was not examined.
  const open = isCut ? '; the time was over' : notDecided;
  const count = findings.length > 0 ? counted(findings.length, 'finding') : 'no finding';
  return `${name}: ${count} about ${policies === 1 ? '1 policy' : `${policies} policies`}${open}`;
}

function nameOf({ policy }: Finding, { sources }: PrintedFindings): string {
  const source = sources.get(policy);
  if (!source) return `policy ${policy}`;
  return `policy ${policy} (${troublePlace(placeOfSource(source))})`;
}

function findingsMarkdown(printed: PrintedFindings): string {
  const { findings, undecided } = printed.found;
  const lines = [
    ...findings.map((one) => `- **${kindText(one.kind)}** ${code(nameOf(one, printed))}: ${code(one.message)}`),
    ...undecided.map((one) => `- **not decided** ${code(openQuestionText(one))}`),
  ];
  const { shown, more } = fitting(lines, MOST_CHARACTERS);
  const list = shown.length > 0 ? [shown.join('\n')] : [];
  const headline = `### CapabilityPolicy: ${code(summaryOf(printed))}`;
  return `${[headline, ...list, ...more].join('\n\n')}\n`;
}
