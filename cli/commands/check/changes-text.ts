/** Prints changes for users: as text in a pipe, as text on a terminal, and as Markdown for a pull request. */
import type {
  ChangeSummary,
  Changes,
  EffectCounts,
  NamespaceChange,
  RolloutStart,
  RolloutSummary,
  WorkloadChange,
} from '../../../analysis/check/changes-result.ts';
import type { Effect } from '../../../analysis/check/effect.ts';
import { type MergedViolation, mergeViolations, policiesText } from '../../../analysis/check/merged.ts';
import type { CheckedViolation } from '../../../analysis/check/result.ts';
import { REFUSED_RULE } from '../../../operator/evaluate/refused.ts';
import { severityRank } from '../../../operator/rules/severity.ts';
import { counted } from '../../../operator/text/wording.ts';
import { EFFECT_STYLES, effectPaint } from '../../output/effect-paint.ts';
import { groupedText, type WorkloadEntries, withSharedDetail } from '../../output/grouped.ts';
import { code, details, MOST_CHARACTERS, markdownTable } from '../../output/markdown.ts';
import { withShortMessages } from '../../output/short-rows.ts';
import { tableText } from '../../output/table.ts';
import type { Terminal } from '../../output/terminal.ts';
import { paragraph } from '../../output/wrap.ts';
import type { OpenedMarkdown } from './opened-text.ts';
import { itemName } from './reporters/reporter.ts';
import { withRemark } from './reporters/shown.ts';

export function changesText(all: Changes, terminal: Terminal): string {
  const { candidates, namespaces, summary } = all;
  const sections = [
    terminal.width === undefined ? changeTable(all, terminal) : changeGroups(all, terminal),
    namespaces.length === 0 ? '' : namespaceTable(all, terminal),
    paragraph(summaryLine(candidates, summary), terminal),
  ];
  return sections.filter((section) => section !== '').join('\n');
}

/**
 * @param opened which pods the candidate policies newly admit. The text about newly admitted pods precedes the tables,
 * because users should read it first
 */
export function changesMarkdown(all: Changes, opened: OpenedMarkdown = { summary: [], details: [] }): string {
  const { candidates, changes, namespaces, summary } = all;
  const columns = namespaceColumns(all);
  const rows = changes.map((one) => {
    const why = mergeViolations(one.violations).map((violation) => code(whyText(violation, one)));
    return [code(itemName(one)), word(one.before), `**${word(one.after)}**`, why.join('<br>')];
  });
  const spaces = namespaces.map((one) => columns.map(({ cell }) => code(cell(one))));
  const heads = columns.map(({ head }) => head.charAt(0) + head.slice(1).toLowerCase());
  return [
    '### CapabilityPolicy: what would change',
    summaryLine(candidates.map(code), summary),
    ...opened.summary,
    ...markdownTable(['Workload', 'Today', 'After', 'Why'], rows, MOST_CHARACTERS * 0.4),
    ...details('Namespaces', markdownTable(heads, spaces, MOST_CHARACTERS * 0.3)),
    ...opened.details,
  ]
    .join('\n\n')
    .concat('\n');
}

function changeTable({ changes }: Changes, terminal: Terminal): string {
  if (changes.length === 0) return '';
  const rows = changes.flatMap((one) => {
    const effects = [itemName(one), word(one.before), word(one.after)];
    const violations = mergeViolations(one.violations);
    if (violations.length === 0) return [[...effects, '', '']];
    return violations.map((violation) => [...effects, policiesText(violation), violationText(violation, one)]);
  });
  const head = ['WORKLOAD', 'TODAY', 'AFTER', 'POLICY', 'WHY'];
  return tableText(head, withShortMessages(head, rows), {
    terminal,
    paint: effectPaint('AFTER', terminal, word),
  });
}

function changeGroups({ changes }: Changes, terminal: Terminal): string {
  return groupedText(changes.map(workloadEntries), terminal);
}

function workloadEntries(change: WorkloadChange): WorkloadEntries {
  const { namespace, kind, name, before, after, violations } = change;
  const entries = mergeViolations(violations).map((violation) => ({
    label: after.toLowerCase(),
    style: EFFECT_STYLES[after],
    text: violationText(violation, change),
    detail: `by ${policiesText(violation)}`,
  }));
  const remark = `${word(before)} → ${word(after)}`;
  return withSharedDetail({ namespace, workload: `${kind} ${name}`, remark, entries });
}

interface NamespaceColumn {
  readonly head: string;
  cell(namespace: NamespaceChange): string;
}

const SAFE = 'SAFE TO ENFORCE';

/**
 * The columns of the table of namespaces. The table leaves out the column of an effect that no workload has. The column
 * Refused is always shown.
 */
function namespaceColumns({ namespaces, summary }: Changes): NamespaceColumn[] {
  const counts = (head: string, field: keyof EffectCounts): NamespaceColumn[] =>
    field === 'refused' || namespaces.some(({ before, after }) => before[field] + after[field] > 0)
      ? [{ head, cell: ({ before, after }) => countText(before[field], after[field]) }]
      : [];
  return [
    { head: 'NAMESPACE', cell: ({ namespace }) => namespace },
    { head: 'WORKLOADS', cell: ({ workloads }) => String(workloads) },
    ...counts('REFUSED', 'refused'),
    ...counts('PERHAPS REFUSED', 'unknown'),
    ...counts('WARNED', 'warned'),
    ...counts('AUDITED', 'audited'),
    { head: SAFE, cell: ({ safeToEnforce }) => (safeToEnforce === null ? '' : safeToEnforce ? 'yes' : 'no') },
    ...(summary.rollouts.length > 0 ? [{ head: 'ROLLOUT BEGINS', cell: rolloutText }] : []),
    { head: 'WHY NOT', cell: whyNot },
  ];
}

function namespaceTable(all: Changes, terminal: Terminal): string {
  const columns = namespaceColumns(all);
  const heads = columns.map(({ head }) => head);
  const cells = all.namespaces.map((one) => columns.map(({ cell }) => cell(one)));
  const rows = terminal.width === undefined ? withShortMessages(heads, cells) : cells;
  const paint = (head: string, cell: string) =>
    head === SAFE && cell !== '' ? terminal.paint(cell === 'yes' ? 'green' : 'red', cell) : cell;
  return tableText(heads, rows, { terminal, paint });
}

const STARTS: Readonly<Record<RolloutStart['state'], string>> = {
  Enforced: 'already enforced',
  EnforcedAtOnce: 'enforced at once',
  Soaking: 'soaking',
  Blocked: 'blocked',
};

/** The state of each rollout. If a namespace has several rollouts, the text names the policy before each state. */
function rolloutText({ rollouts }: NamespaceChange): string {
  if (rollouts.length === 1) return rollouts.map(({ state }) => STARTS[state]).join('');
  return rollouts.map(({ policy, state }) => `${policy}: ${STARTS[state]}`).join(', ');
}

/** The number before the change and the number after the change, such as `0 → 2`. */
function countText(before: number, after: number): string {
  return before === after ? String(before) : `${before} → ${after}`;
}

/** The workload with the worst violation, and the number of the other workloads with violations. */
function whyNot({ refusedIfEnforced }: NamespaceChange): string {
  const ranked = refusedIfEnforced
    .map((one) => ({ one, worst: mergeViolations(one.violations)[0] }))
    .sort((a, b) => rank(a.worst) - rank(b.worst));
  const [first] = ranked;
  if (!first) return '';
  const more = ranked.length > 1 ? ` and ${ranked.length - 1} more` : '';
  const isOpen = first.one.effect === 'Unknown' && first.worst?.first.rule !== REFUSED_RULE;
  const perhaps = isOpen ? 'depends on who creates the pod: ' : '';
  const why = first.worst ? `: ${perhaps}${violationText(first.worst, first.one)}` : '';
  return `${first.one.kind} ${first.one.name}${more}${why}`;
}

function rank(violation: MergedViolation<CheckedViolation> | undefined): number {
  return violation ? severityRank(violation.first.rule) : Number.POSITIVE_INFINITY;
}

type Origin = Pick<WorkloadChange, 'addedContainers' | 'remark'>;

function violationText(violation: MergedViolation<CheckedViolation>, origin: Origin): string {
  return `${violation.first.rule}: ${withRemark(violation, origin)}`;
}

/** A violation as text, such as `capabilities: container "app" must not … (by restricted)`. */
function whyText(violation: MergedViolation<CheckedViolation>, origin: Origin): string {
  return `${violationText(violation, origin)} (by ${policiesText(violation)})`;
}

function word(effect: Effect): string {
  return effect === 'Unknown' ? 'perhaps refused' : effect.toLowerCase();
}

function summaryLine(candidates: readonly string[], summary: ChangeSummary): string {
  const { workloads, newlyRefused, perhapsRefused, newlyAdmitted, reportedOtherwise, unchanged } = summary;
  const parts = [
    `${newlyRefused} of ${counted(workloads, 'workload')} newly refused`,
    ...(perhapsRefused > 0
      ? [`${perhapsRefused} perhaps refused (it depends on who creates the pod, or its pods are refused today)`]
      : []),
    ...(newlyAdmitted > 0 ? [`${newlyAdmitted} newly admitted`] : []),
    ...(reportedOtherwise > 0 ? [`${reportedOtherwise} with another warning or audit annotation`] : []),
    `${unchanged} unchanged`,
  ];
  const safe = `safe to enforce in ${summary.safeToEnforce} of ${counted(summary.candidateNamespaces, 'namespace')}`;
  const starts = summary.rollouts.map(startText);
  return [`${candidates.join(', ')}: ${parts.join(', ')}; ${safe}`, ...starts].join('; ');
}

/**
 * The start of a rollout as text, such as `the rollout of restricted begins with 2 namespaces already enforced, 438
 * soaking for 24h, 40 blocked`.
 */
function startText({ policy, soak, paused, enforced, enforcedAtOnce, soaking, blocked }: RolloutSummary): string {
  const counts: [number, string][] = [
    [enforced, STARTS.Enforced],
    [enforcedAtOnce, STARTS.EnforcedAtOnce],
    [soaking, `${STARTS.Soaking} for ${soak}`],
    [blocked, STARTS.Blocked],
  ];
  const parts = counts.filter(([count]) => count > 0);
  const texts = parts.map(([count, state], index) => `${index === 0 ? counted(count, 'namespace') : count} ${state}`);
  return `the rollout of ${policy} begins with ${texts.length > 0 ? texts.join(', ') : 'no namespace'}${paused ? ', and is paused' : ''}`;
}
