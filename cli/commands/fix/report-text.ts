/**
 * The text that follows the diff, for users. The text names the risks of the edits. The text also names the violations
 * that remain, and the reasons for these violations.
 */
import { notEvaluatedLines } from '../../../analysis/check/not-evaluated.ts';
import type { FixEdit, FixNote, FixResult, FixSummary, LeftViolation } from '../../../analysis/fix/result.ts';
import { type OtherDocuments, skippedLines } from '../../../analysis/manifests/other-documents.ts';
import { printableTexts } from '../../../analysis/text/printable-values.ts';
import { FIX_CLASSES, type FixClass } from '../../../operator/rules/rule.ts';
import { counted } from '../../../operator/text/wording.ts';
import { wrap } from '../../output/wrap.ts';
import { itemName, place } from '../check/reporters/reporter.ts';

const NAMED = 3;
const WIDTH = 100;
/** Matches the list of values at the end of a rule's message. */
const ACCEPTED = / \((?:allowed|forbidden): .*\)$/;

export function reportText(result: FixResult, skipped: readonly OtherDocuments[], isWritten: boolean): string {
  const { edits, left, notes, policies, summary } = printableTexts(result);
  const sections = [
    ...RISKIEST_FIRST.map((of) => riskLines(of, edits)),
    notes.map(noteLine),
    leftLines(left),
    [
      summaryLine(summary, isWritten) + undecidedText(summary, policies.length),
      ...notEvaluatedLines(summary.notEvaluated),
      ...skippedLines(skipped),
    ],
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n');
}

const RISKIEST_FIRST = FIX_CLASSES.toReversed();

/**
 * Returns the lines about the risks of all edits that have the given class. Each risk occurs once, together with the
 * first objects that have the risk.
 */
function riskLines(fixClass: FixClass, edits: readonly FixEdit[]): string[] {
  const ofClass = edits.filter((edit) => edit.class === fixClass);
  const groups = [...Map.groupBy(ofClass, ({ rule, risk }) => `${rule}: ${risk}`)];
  if (groups.length === 0) return [];
  const title = fixClass === 'check' ? 'Check before you apply:' : `Edits of class ${fixClass}:`;
  return [title, ...groups.map(([risk, all]) => wrapped(`${risk} (${objectsText(all)})`))];
}

function objectsText(edits: readonly FixEdit[]): string {
  const names = [...new Set(edits.map((edit) => itemName(edit)))];
  const more = names.length - NAMED;
  return [...names.slice(0, NAMED), ...(more > 0 ? [`${more} more`] : [])].join(', ');
}

function noteLine({ file, line, message }: FixNote): string {
  return `${place(file, line)}: ${message}`;
}

function leftLines(left: readonly LeftViolation[]): string[] {
  if (left.length === 0) return [];
  const groups = Map.groupBy(left, ({ rule, why }) => `${rule}: no fix: ${why}`);
  const lines = [...groups].flatMap(([reason, all]) => [wrapped(reason), ...new Set(all.map(leftLine))]);
  return ['Left:', ...lines];
}

/**
 * The line for a violation that remains. The line leaves out the values that policies accept. `cappol check` lists
 * these values. If the messages of several violations differ only in the accepted values, one line covers all these
 * violations.
 */
function leftLine(one: LeftViolation): string {
  return `    ${place(one.file, one.line)}: ${itemName(one)}: ${one.message.replace(ACCEPTED, '')}`;
}

/**
 * Wraps text to a fixed width. The width is fixed, because the program knows the width of a terminal only for standard
 * output.
 */
function wrapped(text: string): string {
  return wrap(text, { width: WIDTH, indent: 2, hanging: 4 }).trimEnd();
}

function summaryLine(
  { edits, spelling, safe, check, files, left, violating, fixed, workloads }: FixSummary,
  isWritten: boolean,
): string {
  if (violating === 0 && edits === 0) return `nothing to fix: no violation in ${counted(workloads, 'workload')}`;
  const classes = [`${spelling} spelling`, `${safe} safe`, `${check} check`].filter((text) => !text.startsWith('0 '));
  const ofClasses = edits > 0 ? ` (${classes.join(', ')})` : '';
  const made = `${counted(edits, 'edit')}${ofClasses} in ${counted(files, 'file')}${isWritten ? ', written' : ''}`;
  if (violating === 0) return made;
  const result = `${fixed} of ${counted(violating, 'violating workload')} ${fixed === 1 ? 'complies' : 'comply'} after the edits`;
  return `${made}: ${result}${left > 0 ? `, ${counted(left, 'violation')} left` : ''}`;
}

/**
 * Says how many workloads have no policy that decides about them. The text is empty if there are no policies, for
 * example if only --used is given.
 */
function undecidedText({ notSelected }: FixSummary, policies: number): string {
  return notSelected > 0 && policies > 0 ? `; no policy decides about ${counted(notSelected, 'workload')}` : '';
}
