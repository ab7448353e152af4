/** Prints the status as text. The text shows problems first, and its lines are wrapped to the width of the terminal. */
import { problemsAmong, readiness } from '../../../analysis/policies/condition-problems.ts';
import type { Holder } from '../../../operator/evaluate/use.ts';
import type { RbacSubject } from '../../../operator/model/objects.ts';
import { formatTime } from '../../../operator/policy/expiry.ts';
import { bounded } from '../../../operator/text/printable.ts';
import { counted, firstOf } from '../../../operator/text/wording.ts';
import { tableText } from '../../output/table.ts';
import type { Terminal } from '../../output/terminal.ts';
import { paragraph, wrap } from '../../output/wrap.ts';
import { podSecurityWarnings } from '../../pod-security-warnings.ts';
import { enforcedCell, rolloutText } from './rollout-text.ts';
import { unknownPodsText } from './unknown-pods-text.ts';
import { unusedText } from './unused-text.ts';
import type { PolicyView, StatusView } from './view.ts';
import { violationsText } from './violations-text.ts';

const POLICY_HEAD = [
  'NAME',
  'LEVEL',
  'MODE',
  'PSA',
  'NAMESPACES',
  'ENFORCED',
  'VIOLATING',
  'UNKNOWN',
  'READY',
  'MAY USE',
];
const WIDE_HEAD = ['PRIORITY', 'VERSION', 'SHARES WITH'];
/**
 * The columns that are dropped if the table is wider than the terminal. The columns are dropped in the order of this
 * list.
 */
const OPTIONAL_COLUMNS = ['UNKNOWN', 'PSA', 'MAY USE', 'NAMESPACES'];
/** The position of the column ENFORCED. The column ENFORCED is shown only if a policy has a rollout. */
const ENFORCED_COLUMN = POLICY_HEAD.indexOf('ENFORCED');
const MOST_SUBJECTS = 2;

interface TextOptions {
  readonly terminal: Terminal;
  readonly wide: boolean;
  /** Whether to show every detail. If the user asked for a single policy, every detail is shown. */
  readonly whole: boolean;
  /** The only namespace to show. If no namespace is given, all namespaces are shown. */
  readonly namespace: string | undefined;
  /** The time for which to show the state, in ms since 1970. If no time is given, the current state is shown. */
  readonly at?: number | undefined;
}

export function statusText(view: StatusView, options: TextOptions): string {
  const { policies } = view;
  const { terminal, wide, whole, namespace, at } = options;
  if (policies.length === 0) {
    return namespace === undefined ? 'There are no policies.\n' : `No policy selects namespace ${namespace}.\n`;
  }
  const sections = [
    wrap(`${at === undefined ? '' : `At ${formatTime(at)}: `}${summary(policies, namespace)}`, terminal),
    policyTable(policies, options),
    expiryLines(policies, terminal),
    conditionLines(policies, wide || whole, terminal),
    rolloutText(policies, terminal, namespace),
    unknownPodsText(policies, terminal),
    violationsText(policies, terminal),
    unusedText(policies, terminal),
    useTable(policies, terminal),
    allLines(view.mayUseAll ?? [], terminal),
    paragraph(`Protected: ${view.protection.status}, ${view.protection.message}`, terminal),
  ];
  return sections.filter((section) => section !== '').join('\n');
}

function policyTable(policies: readonly PolicyView[], { terminal, wide }: TextOptions): string {
  const rollouts = policies.some(({ rollout }) => rollout !== undefined);
  const shown = (cells: readonly string[]) => cells.filter((_, index) => rollouts || index !== ENFORCED_COLUMN);
  const head = shown(wide ? [...POLICY_HEAD, ...WIDE_HEAD] : POLICY_HEAD);
  const rows = policies.map((policy) => shown(policyRow(policy, wide)));
  const paint = (head: string, cell: string) => {
    if (head === 'READY') return cell === 'Expired' ? cell : terminal.paint(cell === 'True' ? 'green' : 'red', cell);
    return head === 'VIOLATING' && cell !== '0' ? terminal.paint('red', cell) : cell;
  };
  return tableText(head, rows, {
    terminal,
    paint,
    ...(!wide && { optional: OPTIONAL_COLUMNS }),
  });
}

function summary(policies: readonly PolicyView[], namespace: string | undefined): string {
  const notReady = policies.filter((policy) => readiness(policy) !== 'True').length;
  const violations = policies.flatMap((one) => one.violations).filter(({ verdict }) => verdict === 'Violating');
  const workloads = new Set(violations.map(({ namespace, kind, name }) => `${namespace}/${kind}/${name}`)).size;
  const namespaces = new Set(violations.map(({ namespace }) => namespace)).size;
  const scope = namespace === undefined ? '' : ` for namespace ${namespace}`;
  const partial = policies.some(isPartial) ? ' at least' : '';
  return [
    `${counted(policies.length, 'policy')}${scope}${notReady > 0 ? `, ${notReady} not ready` : ''}:`,
    workloads === 0
      ? 'no workload violates.'
      : `${counted(workloads, 'workload')} in ${counted(namespaces, 'namespace')}${partial} ${workloads === 1 ? 'violates' : 'violate'}.`,
  ].join(' ');
}

/**
 * Whether the view lists only some of the policy's violating workloads. A policy's status names only the first
 * violating workloads, so a view made from the status may be incomplete.
 */
function isPartial({ verdictsFrom, workloads, violations }: PolicyView): boolean {
  const named = new Set(violations.map(({ namespace, kind, name }) => `${namespace}/${kind}/${name}`)).size;
  return verdictsFrom === 'Status' && named < workloads.violating + workloads.unknown;
}

function policyRow(policy: PolicyView, wide: boolean): string[] {
  const { name, level, mode, podSecurity, namespaces, workloads } = policy;
  const cells = [
    name,
    level,
    mode,
    podSecurity,
    String(namespaces.deciding),
    enforcedCell(policy),
    String(workloads.violating),
    String(workloads.unknown),
    readyCell(policy),
    users(policy),
  ];
  const shares = policy.sharesWith.map(({ policy: other, relation }) => `${other} (${relation})`);
  const more = [String(policy.priority), policy.levelVersion, firstOf(shares, 3)];
  return wide ? [...cells, ...more.map((cell) => cell || '-')] : cells;
}

/**
 * The cell of the column READY, as `kubectl get` prints it. The condition Ready of an expired policy is True, but the
 * cell contains `Expired`.
 */
function readyCell(policy: PolicyView): string {
  return policy.expired ? 'Expired' : readiness(policy);
}

function users({ usableBy, usedBy }: PolicyView): string {
  if (usableBy === 'Everyone') return 'everyone';
  if (!usedBy) return '?';
  return usedBy.length === 0
    ? 'nobody'
    : firstOf(
        usedBy.map(({ subject }) => subjectText(subject)),
        MOST_SUBJECTS,
      );
}

/** Lines that say when each policy expires, and why the policy exists. */
function expiryLines(policies: readonly PolicyView[], terminal: Terminal): string {
  const lines = policies.flatMap(({ name, expires, expired, reason }) => {
    const end =
      expires === undefined ? [] : [expired ? `expired at ${expires} and counts as deleted` : `expires at ${expires}`];
    const texts = [...end, ...(reason === undefined ? [] : [`reason: ${bounded(reason, 512)}`])];
    return texts.length === 0 ? [] : [paragraph(`${name}: ${texts.join('; ')}`, terminal)];
  });
  return lines.join('');
}

/**
 * Lines with the conditions of each policy. If `all` is false, only the conditions that report a problem are shown, and
 * the warnings about Pod Security.
 */
function conditionLines(policies: readonly PolicyView[], all: boolean, terminal: Terminal): string {
  const lines = policies.flatMap(({ name, conditions }) => {
    const shown = all ? conditions : problemsAmong(conditions);
    const isShown = ({ type }: PolicyView['conditions'][number]) => shown.some((one) => one.type === type);
    const warnings = podSecurityWarnings({ status: { conditions: conditions.filter((one) => !isShown(one)) } });
    return [
      ...shown.map(
        ({ type, status, reason, message }) => `${type} is ${status} (${reason}): ${bounded(message, 1024)}`,
      ),
      ...warnings,
    ].map((text) => paragraph(`${name}: ${text}`, terminal));
  });
  return lines.join('');
}

function useTable(policies: readonly PolicyView[], terminal: Terminal): string {
  const rows = policies.flatMap(({ name, usedBy = [] }) =>
    usedBy.map((holder) => [name, subjectText(holder.subject), where(holder)]),
  );
  return rows.length === 0 ? '' : tableText(['POLICY', 'MAY USE IT', 'WHERE'], rows, { terminal });
}

/** Lines that name the subjects that may use all policies. Subjects with wildcard rights come first. */
function allLines(holders: readonly Holder[], terminal: Terminal): string {
  const named = (some: readonly Holder[]) =>
    some.map((one) => `${subjectText(one.subject)} (${where(one)})`).join(', ');
  const wildcard = holders.filter((one) => one.wildcard);
  const others = holders.filter((one) => !one.wildcard);
  return [
    ...(wildcard.length > 0 ? [`May use every policy, by wildcard: ${named(wildcard)}`] : []),
    ...(others.length > 0 ? [`May use every policy: ${named(others)}`] : []),
  ]
    .map((line) => paragraph(line, terminal))
    .join('');
}

function where({ namespace, everybody }: Holder): string {
  const place = namespace === undefined ? 'everywhere' : `namespace ${namespace}`;
  return everybody ? `${place}; so everybody may use the policy through the built-in controllers` : place;
}

/** A subject as text, such as `ServiceAccount net/pinger`. */
function subjectText({ kind, namespace, name }: RbacSubject): string {
  return bounded(`${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`, 256);
}
