/** Describes the changes in a cluster between two snapshots, as text for users and as Markdown. */
import { WAYS } from '../../../analysis/capabilities/how-held.ts';
import { policiesText } from '../../../analysis/compare/finding.ts';
import type { CapabilityChange } from '../../../analysis/history/capabilities.ts';
import type { EndedException, ExceptionReason, NewException } from '../../../analysis/history/exceptions.ts';
import type { PolicyGrant } from '../../../analysis/history/grants.ts';
import type { History } from '../../../analysis/history/history.ts';
import type { EnforcedNamespace } from '../../../analysis/history/namespaces.ts';
import { printableTexts } from '../../../analysis/text/printable-values.ts';
import { type WorkloadName, workloadText } from '../../../operator/evaluate/workloads.ts';
import { RUNTIME_DEFAULT } from '../../../operator/standards/capabilities.ts';
import { counted, firstOf } from '../../../operator/text/wording.ts';
import { code, details } from '../../output/markdown.ts';
import type { Terminal } from '../../output/terminal.ts';
import { wrap } from '../../output/wrap.ts';
import { grantText } from '../status/unused-text.ts';

/** The maximum number of lines of a section without `--all`. */
const MOST = 20;
/** The maximum number of namespaces that one line lists for an exception. */
const MOST_NAMESPACES = 3;
/** The maximum number of capabilities that one line lists for a container. */
const MOST_CAPABILITIES = 8;

interface Section {
  readonly title: string;
  readonly lines: readonly string[];
}

/** @param all whether to print all lines of a section */
export function historyText(history: History, all: boolean, { width, paint }: Terminal): string {
  const sections = sectionsOf(history).map(({ title, lines }) => {
    const shown = shownLines(lines, all).map((line) => wrap(line, { width, indent: 2, hanging: 4 }));
    return [wrap(`${title}: ${lines.length}`, { width, hanging: 2 }), ...shown].join('');
  });
  const heading = paint('bold', sections.length > 0 ? 'CLUSTER' : 'CLUSTER UNCHANGED');
  return [wrap(`${heading}  ${period(history)}`, { width, hanging: 2 }), ...sections].join('\n');
}

/** Markdown with a foldable block for each section. @param room the maximum number of characters */
export function historyMarkdown(history: History, all: boolean, room: number): string {
  const sections = sectionsOf(history);
  const heading = `**${sections.length > 0 ? 'cluster' : 'cluster unchanged'}** ${code(period(history))}`;
  let left = room;
  const paragraphs = sections.flatMap(({ title, lines }) => {
    const shown = shownLines(lines, all).map((line) => `- ${code(line)}`);
    const fitting = shown.filter((line) => {
      left -= line.length + 1;
      return left >= 0;
    });
    const cut = fitting.length < shown.length ? ['- … and more'] : [];
    return details(`${title}: ${lines.length}`, [[...fitting, ...cut].join('\n')]);
  });
  return `${[heading, ...paragraphs].join('\n\n')}\n`;
}

function period({ from, to }: History): string {
  return `from ${from} to ${to}`;
}

function shownLines(lines: readonly string[], all: boolean): readonly string[] {
  if (all || lines.length <= MOST) return lines;
  return [...lines.slice(0, MOST), `… and ${lines.length - MOST} more`];
}

/** The sections that are not empty. The sections begin with the topics about which auditors ask first. */
function sectionsOf(history: History): Section[] {
  const { workloads, capabilities, exceptions, namespaces } = printableTexts(history);
  const all = [
    { title: 'namespaces no longer enforced', lines: namespaces.notEnforced.map((one) => enforcedLine(one, 'before')) },
    { title: 'namespaces newly enforced', lines: namespaces.enforced.map((one) => enforcedLine(one, 'now')) },
    { title: 'capabilities gained, also by new workloads', lines: capabilityLines(capabilities.gained, 'is') },
    { title: 'capabilities lost, also with workloads that are gone', lines: capabilityLines(capabilities.lost, 'was') },
    { title: 'new exceptions', lines: exceptions.new.map(exceptionLine) },
    { title: 'ended exceptions', lines: exceptions.ended.map(exceptionLine) },
    { title: 'grants that no workload needs now', lines: exceptions.unused.map(grantLine) },
    { title: 'grants that workloads need again', lines: exceptions.neededAgain.map(grantLine) },
    { title: 'new workloads', lines: workloads.came.map(workloadLine) },
    { title: 'workloads that are gone', lines: workloads.gone.map(workloadLine) },
  ];
  return all.filter(({ lines }) => lines.length > 0);
}

function workloadLine(workload: WorkloadName): string {
  return workloadText(workload);
}

function enforcedLine({ namespace, policies }: EnforcedNamespace, when: 'before' | 'now'): string {
  return `${namespace}, ${when} by ${policiesText(policies)}`;
}

/**
 * The most dangerous changes come first, because a long list is cut.
 *
 * @param verb `is` or `was`, for the text about privileged containers
 */
function capabilityLines(changes: readonly CapabilityChange[], verb: string): string[] {
  return changes
    .toSorted((a, b) => WAYS.indexOf(a.how) - WAYS.indexOf(b.how))
    .map((change) => capabilityLine(change, verb));
}

function capabilityLine(change: CapabilityChange, verb: string): string {
  const { container, how, inUserNamespace, capabilities } = change;
  const own = inUserNamespace ? ", in the pod's user namespace" : '';
  const text = {
    Privileged: `${counted(capabilities.length, 'capability')}, because it ${verb} privileged`,
    Added: `${firstOf(capabilities, MOST_CAPABILITIES)}, added by its manifest`,
    ByDefault:
      capabilities.length === RUNTIME_DEFAULT.length
        ? `all ${RUNTIME_DEFAULT.length} that container runtimes give by default`
        : `${firstOf(capabilities, MOST_CAPABILITIES)}, by the default of container runtimes`,
  }[how];
  return `${workloadText(change)}, container ${container}: ${text}${own}`;
}

const BECAUSE: Readonly<Record<(NewException | EndedException)['because'], string>> = {
  Created: 'created',
  Renewed: 'renewed',
  Deleted: 'deleted',
  Expired: 'expired',
  Changed: 'changed',
  NamespaceCreated: 'new namespace',
  NamespaceDeleted: 'no namespace left',
  OtherChange: 'through another change',
};

const WHY: Readonly<Record<ExceptionReason, string>> = {
  AdmitsMore: 'admits more than another policy that decides there',
  RestrictedUse: 'only some users may use it',
  Expires: 'expires',
};

const ADMITS_MORE_IN_SOME = 'admits more than another policy that decides in one of these namespaces';

function exceptionLine(exception: NewException | EndedException): string {
  const { policy, because, why, mode, namespaces, expires, reason } = exception;
  const facts = why.map((one) => {
    if (one === 'Expires') return `${because === 'Expired' ? 'expired' : 'expires'} at ${expires}`;
    return one === 'AdmitsMore' && namespaces.length > 1 ? ADMITS_MORE_IN_SOME : WHY[one];
  });
  return [
    `policy ${policy} (${BECAUSE[because]})${mode === 'Enforce' ? '' : ` of mode ${mode}`}`,
    `in ${namespaces.length === 0 ? 'no namespace' : firstOf(namespaces, MOST_NAMESPACES)}: ${facts.join(', ')}`,
    ...(reason === undefined ? [] : [`reason: ${reason}`]),
  ].join(', ');
}

function grantLine(grant: PolicyGrant): string {
  return `policy ${grant.policy}: ${grantText(grant)}${grant.since === undefined ? '' : `, since ${grant.since}`}`;
}
